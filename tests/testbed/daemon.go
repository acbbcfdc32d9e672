package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// daemon is a program that lives as long as the testbed, but for the time in
// which the command has it stopped.
type daemon struct {
	program string
	args    []string
	log     *os.File
	died    chan<- error

	mutex sync.Mutex
	run   *run // nothing while it is stopped
}

// run is one life of a daemon.
type run struct {
	cmd      *exec.Cmd
	expected bool          // its end is what somebody asked for
	ended    chan struct{} // closed with its end
}

// daemon starts a program of the testbed; its log is named for it.
func (b *bed) daemon(name string, args ...string) error {
	log, err := os.Create(b.path("logs/" + name + ".log"))
	if err != nil {
		return err
	}
	d := &daemon{program: filepath.Join(b.bin, name), args: args, log: log, died: b.died}
	b.daemons[name] = d
	return d.start()
}

// start starts it, with the arguments that it always has. It gets a process
// group of its own, so that Ctrl-C at a terminal reaches the command alone.
func (d *daemon) start() error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.run != nil {
		return fmt.Errorf("%s runs already", d.program)
	}
	cmd := exec.Command(d.program, d.args...)
	cmd.Stdout, cmd.Stderr = d.log, d.log
	// There is more memory than processors: less of their time goes into collecting garbage.
	cmd.Env = append(os.Environ(), "GOGC=400")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", d.program, err)
	}
	d.run = &run{cmd: cmd, ended: make(chan struct{})}
	go d.watch(d.run)
	return nil
}

func (d *daemon) watch(r *run) {
	err := r.cmd.Wait()
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if !r.expected {
		d.died <- fmt.Errorf("%s ended (%v), see %s", filepath.Base(d.program), err, d.log.Name())
	}
	close(r.ended)
}

// stop kills it without a warning, as a machine that loses its power does, and
// waits until it is gone.
func (d *daemon) stop() error {
	d.mutex.Lock()
	r := d.run
	if r == nil {
		d.mutex.Unlock()
		return fmt.Errorf("%s is stopped already", d.program)
	}
	r.expected, d.run = true, nil
	err := r.cmd.Process.Kill()
	d.mutex.Unlock()
	<-r.ended
	return err
}
