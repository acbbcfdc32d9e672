package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// containerState is one container: a process, or only the pretence of one.
type containerState struct {
	worker *podWorker
	spec   container

	status     object // the field `state` of its containerStatus
	ready      bool
	readySince string
	restarts   int
	final      bool // it ended and is not started again
	exitCode   int
}

func waiting(reason, message string) object {
	return object{"waiting": object{"reason": reason, "message": message}}
}

func (s *containerState) known() bool { return s.worker.kubelet.programs[s.spec.Image] != "" }

func (s *containerState) set(status object, ready bool) {
	s.worker.mutex.Lock()
	if ready != s.ready {
		s.readySince = now()
	}
	s.status, s.ready = status, ready
	s.worker.mutex.Unlock()
	s.worker.report()
}

// report is the containerStatus; the worker holds its mutex.
func (s *containerState) report() object {
	_, running := s.status["running"]
	return object{
		"name": s.spec.Name, "image": s.spec.Image, "imageID": "", "restartCount": s.restarts,
		"ready": s.ready, "started": running, "state": s.status,
	}
}

// run keeps the container alive for as long as its Pod lives.
func (s *containerState) run() {
	running := object{"running": object{"startedAt": now()}}
	if !s.known() {
		s.set(running, true)
		<-s.worker.ctx.Done()
		return
	}
	for delay := time.Second; s.worker.ctx.Err() == nil; delay = min(2*delay, 16*time.Second) {
		code, err := s.runOnce()
		if s.ended(code, err) {
			return
		}
		select {
		case <-time.After(delay):
		case <-s.worker.ctx.Done():
		}
	}
}

// ended records the end of one run and says whether it was the last one.
func (s *containerState) ended(code int, err error) bool {
	policy := s.worker.pod.Spec.RestartPolicy
	last := policy == "Never" || policy == "OnFailure" && code == 0 && err == nil
	s.worker.mutex.Lock()
	s.exitCode, s.final = code, last
	if err != nil {
		s.exitCode = 128
	}
	if !last {
		s.restarts++
	}
	s.worker.mutex.Unlock()
	message := fmt.Sprintf("ended with exit code %d", code)
	if err != nil {
		message = err.Error()
	}
	status := waiting("CrashLoopBackOff", message)
	if last {
		status = object{"terminated": object{"exitCode": s.exitCode, "reason": "Ended", "message": message, "finishedAt": now()}}
	}
	s.set(status, false)
	return last
}

// runToSuccess runs an init container again and again until it succeeds.
func (s *containerState) runToSuccess() bool {
	for s.worker.ctx.Err() == nil {
		cmd, err := s.start()
		if err == nil && s.wait(cmd) == nil {
			return true
		}
		time.Sleep(time.Second)
	}
	return false
}

func (s *containerState) runOnce() (int, error) {
	cmd, err := s.start()
	if err != nil {
		return 0, err
	}
	running := object{"running": object{"startedAt": now()}}
	ctx, cancel := context.WithCancel(s.worker.ctx)
	defer cancel()
	s.set(running, s.spec.ReadinessProbe == nil)
	go s.probe(ctx, running)
	return exitCode(s.wait(cmd))
}

func (s *containerState) start() (*exec.Cmd, error) {
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	root, err := s.podRoot()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/proc/self/exe", "pod", root)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(s.environment(), "PATH="+os.Getenv("PATH"), "HOME=/tmp")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS}
	return cmd, cmd.Start()
}

// wait waits for the process; when the Pod is deleted it is asked to end, and
// made to after the grace period.
func (s *containerState) wait(cmd *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-s.worker.ctx.Done():
	}
	cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		return err
	case <-time.After(s.worker.grace):
		cmd.Process.Kill()
		return <-ended
	}
}

func (s *containerState) log() string {
	m := s.worker.pod.Metadata
	return s.worker.kubelet.path(fmt.Sprintf("logs/pod-%s-%s-%s.log", m.Namespace, m.Name, s.spec.Name))
}

// probe keeps `ready` up to date. Its period is a second at most, whatever the
// Pod says: nobody wants to wait ten seconds for a test.
func (s *containerState) probe(ctx context.Context, running object) {
	if s.spec.ReadinessProbe == nil {
		return
	}
	for ctx.Err() == nil {
		ready := s.askReadiness(ctx) == nil
		if ctx.Err() == nil {
			s.set(running, ready) // writes nothing unless it is news
		}
		pause := 100 * time.Millisecond
		if ready {
			pause = time.Second
		}
		time.Sleep(pause)
	}
}

func (s *containerState) askReadiness(ctx context.Context) error {
	get := s.spec.ReadinessProbe.HTTPGet
	if get == nil {
		return nil
	}
	port := fmt.Sprint(get.Port)
	for _, named := range s.spec.Ports {
		if named.Name == port {
			port = fmt.Sprint(named.ContainerPort)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+":"+port+get.Path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode >= 400 {
		return errors.New(response.Status)
	}
	return nil
}
