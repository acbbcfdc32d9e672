// Package main gives a command a private, real Kubernetes: a control plane, a
// node without containers, a node that runs our own programs, and a Git server.
// It needs nothing but Go's standard library and touches nothing outside its
// own directory and namespaces; in particular never a cluster of the user's.
package main

import (
	"errors"
	"fmt"
	"os"
)

const usage = `usage:
  testbed run [--dir DIR] --bin DIR --stages FILE [--program IMAGE=PATH]... COMMAND...
  testbed proxy [--listen ADDRESS]
  testbed webhook
  testbed stop DAEMON
  testbed start DAEMON`

var errUsage = errors.New(usage)

func main() {
	if len(os.Args) < 2 {
		fail(errUsage)
	}
	code, err := play(os.Args[1], os.Args[2:])
	if err != nil {
		fail(err)
	}
	os.Exit(code)
}

// play dispatches to the programs in this one. "inside" and "pod" are how
// the testbed starts itself again in new namespaces; people never call them.
func play(part string, args []string) (int, error) {
	switch part {
	case "run":
		return outside(args)
	case "inside":
		return inside(args)
	case "pod":
		return 1, enterPod(args)
	case "proxy":
		return 0, proxy(args)
	case "webhook":
		return 0, webhook(args)
	case "stop", "start":
		return 0, control(part, args)
	}
	return 2, errUsage
}

func fail(err error) {
	fmt.Fprintf(os.Stderr, "testbed: %v\n", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}
