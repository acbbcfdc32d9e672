package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// outside makes the directory and the namespaces, waits for the process inside
// and cleans up. It starts no part of Kubernetes itself. The process inside is
// process 1 of a PID namespace, so when it ends, however it ends, the kernel
// ends everything that was started in there.
func outside(args []string) (int, error) {
	s, err := parseSettings(args)
	if err != nil {
		return 2, err
	}
	given := s.dir != ""
	if s.dir, err = makeDirectory(s.dir); err != nil {
		return 1, err
	}
	code, err := superviseInside(s)
	if given {
		return code, err
	}
	if err == nil && code == 0 {
		return code, os.RemoveAll(s.dir)
	}
	for _, bulky := range []string{"etcd", "pods", "git"} {
		os.RemoveAll(filepath.Join(s.dir, bulky))
	}
	fmt.Fprintf(os.Stderr, "testbed: logs are kept in %s\n", filepath.Join(s.dir, "logs"))
	return code, err
}

func makeDirectory(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "signet-testbed-")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}

func superviseInside(s settings) (int, error) {
	// The death signal goes out when the thread that started the child ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", append([]string{"inside"}, s.arguments()...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = namespaces()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("make namespaces: %w (this needs root, or a kernel that lets users make user namespaces)", err)
	}
	pid := strconv.Itoa(cmd.Process.Pid)
	if err := os.WriteFile(filepath.Join(s.dir, "pid"), []byte(pid+"\n"), 0o644); err != nil {
		return 1, err
	}
	go func() {
		for range signals {
			cmd.Process.Signal(syscall.SIGTERM)
		}
	}()
	return exitCode(cmd.Wait())
}

func namespaces() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return attributes
}

// exitCode speaks as a shell does: 128 + signal for a process that was killed.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if err == nil || !errors.As(err, &exit) {
		return 0, err
	}
	if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// isolate finishes the namespaces from within: mounts of ours stay ours, /proc
// shows our processes, and the network has two addresses and nobody else.
func isolate() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	// A container with a masked /proc refuses this; we do well without.
	err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, "")
	if err != nil && !errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := raiseLoopback(); err != nil {
		return fmt.Errorf("set up the loopback device: %w", err)
	}
	return nil
}

func environ(extra ...string) []string {
	var kept []string
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if lower := strings.ToLower(name); strings.HasSuffix(lower, "_proxy") || name == "KUBECONFIG" {
			continue // neither a proxy nor a cluster of the user's means anything in here
		}
		kept = append(kept, pair)
	}
	return append(kept, extra...)
}
