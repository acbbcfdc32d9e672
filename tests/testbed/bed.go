package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// bed is one running testbed, seen from inside its namespaces. There is no
// tear-down in here: see outside.
type bed struct {
	settings
	daemons map[string]*daemon
	died    chan error // a daemon that ended by itself; none should before the command does
}

// patience is how long a part may take to become ready on a slow machine.
const patience = 2 * time.Minute

func inside(args []string) (int, error) {
	s, err := parseSettings(args)
	if err != nil {
		return 2, err
	}
	if err := isolate(); err != nil {
		return 1, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	b := &bed{settings: s, daemons: map[string]*daemon{}, died: make(chan error, 8)}
	if err := b.start(ctx); err != nil {
		return 1, err
	}
	return b.run(ctx)
}

func (b *bed) start(ctx context.Context) error {
	for _, folder := range []string{"logs", "git/private", "etc", "pods"} {
		if err := os.MkdirAll(b.path(folder), 0o755); err != nil {
			return err
		}
	}
	if err := b.writeConfiguration(); err != nil {
		return err
	}
	gitLog, err := os.Create(b.path("logs/git.log"))
	if err != nil {
		return err
	}
	if err := serveGit(b.path("git"), gitLog); err != nil {
		return fmt.Errorf("start the Git server: %w", err)
	}
	if err := serveNames(); err != nil {
		return fmt.Errorf("start the name server: %w", err)
	}
	if err := b.startControlPlane(ctx); err != nil {
		return err
	}
	api, err := newClient(b.path("pki"))
	if err != nil {
		return err
	}
	if err := b.startNodes(ctx, api); err != nil {
		return err
	}
	if err := b.serveControl(); err != nil {
		return fmt.Errorf("start the remote control: %w", err)
	}
	return nil
}

// run runs the command in the foreground, with the terminal if there is one.
func (b *bed) run(ctx context.Context) (int, error) {
	environment := b.environment()
	if err := writeEnvironment(b.path("env"), environment); err != nil {
		return 1, err
	}
	cmd := exec.Command(b.command[0], b.command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = environ(environment...)
	if err := cmd.Start(); err != nil {
		return 127, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return exitCode(err)
	case died := <-b.died:
		b.interrupt(cmd, ended)
		return 1, died
	case <-ctx.Done():
		return b.interrupt(cmd, ended)
	}
}

// grace is what the command gets to clean up after itself.
const grace = 10 * time.Second

func (b *bed) interrupt(cmd *exec.Cmd, ended chan error) (int, error) {
	cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		return exitCode(err)
	case <-time.After(grace):
		return 128 + int(syscall.SIGKILL), nil
	}
}

func (b *bed) environment() []string {
	self, _ := os.Executable()
	path := filepath.Dir(self) + ":" + b.bin + ":" + os.Getenv("PATH")
	return []string{
		"SIGNET_TESTBED=" + b.dir,
		"SIGNET_TESTBED_GIT=" + gitServer,
		"KUBECONFIG=" + b.path("kubeconfig"),
		"PATH=" + path,
		"CARGO_NET_OFFLINE=true", // else cargo waits for a network that isn't there
	}
}

// writeEnvironment leaves a file for tests/testbed/enter to source.
func writeEnvironment(file string, environment []string) error {
	text := ""
	for _, pair := range environment {
		text += fmt.Sprintf("export %q\n", pair)
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

func (b *bed) path(name string) string { return filepath.Join(b.dir, name) }

// await asks again and again until the answer is no error.
func (b *bed) await(ctx context.Context, what string, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case died := <-b.died:
			return died
		case <-ctx.Done():
			return fmt.Errorf("%s: not ready: %w", what, errors.Join(ctx.Err(), err))
		case <-time.After(50 * time.Millisecond):
		}
	}
}
