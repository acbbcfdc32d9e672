package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"time"
)

// podWorker carries one Pod from its first sight to its end.
type podWorker struct {
	kubelet *kubelet
	pod     pod
	home    string // volumes and the service account's files
	ctx     context.Context
	stop    context.CancelFunc
	grace   time.Duration // set before stop is called

	mutex   sync.Mutex
	states  []*containerState
	started string
	sent    object
	once    sync.Once
}

func newPodWorker(k *kubelet, p pod) *podWorker {
	w := &podWorker{kubelet: k, pod: p, home: k.path("pods/" + p.Metadata.UID), started: now()}
	w.ctx, w.stop = context.WithCancel(context.Background())
	for _, c := range p.Spec.Containers {
		w.states = append(w.states, &containerState{worker: w, spec: c, status: waiting("ContainerCreating", "")})
	}
	return w
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }

func (w *podWorker) path() string {
	return "/api/v1/namespaces/" + w.pod.Metadata.Namespace + "/pods/" + w.pod.Metadata.Name
}

// finish asks the Pod's processes to end, and lets them have the grace period.
func (w *podWorker) finish(grace time.Duration) {
	w.once.Do(func() {
		w.grace = grace
		w.stop()
	})
}

func (w *podWorker) run() {
	if w.pod.Status.Phase == "Succeeded" || w.pod.Status.Phase == "Failed" {
		<-w.ctx.Done()
	} else {
		w.runContainers()
	}
	<-w.ctx.Done()
	os.RemoveAll(w.home)
	options := object{"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0,
		"preconditions": object{"uid": w.pod.Metadata.UID}}
	// Gone already, or another Pod under this name: both are fine.
	w.kubelet.api.delete(context.Background(), w.path(), options)
}

func (w *podWorker) runContainers() {
	if err := w.prepare(); err != nil {
		for _, state := range w.states {
			state.set(waiting("CreateContainerError", err.Error()), false)
		}
		return
	}
	for _, spec := range w.pod.Spec.InitContainers {
		initial := &containerState{worker: w, spec: spec}
		if initial.known() && !initial.runToSuccess() {
			return
		}
	}
	var all sync.WaitGroup
	for _, state := range w.states {
		all.Go(state.run)
	}
	all.Wait()
}

// prepare makes the volumes and the files that in-cluster programs look for.
func (w *podWorker) prepare() error {
	account := filepath.Join(w.home, "serviceaccount")
	if err := os.MkdirAll(account, 0o755); err != nil {
		return err
	}
	for _, v := range w.pod.Spec.Volumes {
		if v.EmptyDir == nil {
			continue // the API server adds a projected token volume to every Pod
		}
		if err := os.MkdirAll(w.volume(v.Name), 0o777); err != nil {
			return err
		}
	}
	token, err := w.requestToken()
	if err != nil {
		return err
	}
	ca, err := os.ReadFile(w.kubelet.path("pki/ca.crt"))
	if err != nil {
		return err
	}
	files := map[string][]byte{"token": []byte(token), "ca.crt": ca, "namespace": []byte(w.pod.Metadata.Namespace)}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(account, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (w *podWorker) volume(name string) string { return filepath.Join(w.home, "volumes", name) }

func (w *podWorker) requestToken() (string, error) {
	request := object{"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": object{
		"expirationSeconds": int(lifetime.Seconds()), // nobody renews it
		"boundObjectRef":    object{"kind": "Pod", "apiVersion": "v1", "name": w.pod.Metadata.Name, "uid": w.pod.Metadata.UID},
	}}
	path := fmt.Sprintf("/api/v1/namespaces/%s/serviceaccounts/%s/token", w.pod.Metadata.Namespace, w.pod.Spec.ServiceAccountName)
	var answer struct{ Status struct{ Token string } }
	err := w.kubelet.api.post(w.ctx, path, request, &answer)
	return answer.Status.Token, err
}

// report writes the Pod's status if it says anything new.
func (w *podWorker) report() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	status := w.status()
	if reflect.DeepEqual(status, w.sent) || w.ctx.Err() != nil {
		return
	}
	for try := 0; try < 5; try++ {
		if w.kubelet.api.patch(w.ctx, w.path()+"/status", object{"status": status}) == nil {
			w.sent = status
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (w *podWorker) status() object {
	containers := []object{}
	phase, ready := "Running", true
	ended, failed := 0, 0
	for _, state := range w.states {
		containers = append(containers, state.report())
		ready = ready && state.ready
		if state.final {
			ended++
		}
		if state.final && state.exitCode != 0 {
			failed++
		}
	}
	switch {
	case ended == len(w.states) && failed > 0:
		phase = "Failed"
	case ended == len(w.states):
		phase = "Succeeded"
	}
	conditions := []condition{}
	for _, kind := range []string{"PodScheduled", "Initialized"} {
		conditions = append(conditions, condition{Type: kind, Status: "True", LastTransitionTime: w.started})
	}
	for _, kind := range []string{"ContainersReady", "Ready"} {
		conditions = append(conditions, condition{Type: kind, Status: truth(ready), LastTransitionTime: w.lastChange()})
	}
	return object{
		"phase": phase, "conditions": conditions, "containerStatuses": containers, "startTime": w.started,
		"hostIP": address, "podIP": address, "podIPs": []object{{"ip": address}},
	}
}

// lastChange is the time of the last readiness change of any container.
func (w *podWorker) lastChange() string {
	last := w.started
	for _, state := range w.states {
		last = max(last, state.readySince)
	}
	return last
}

func truth(value bool) string {
	if value {
		return "True"
	}
	return "False"
}
