package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// settings is what the wrapper script asks for. The same arguments are given
// to the process outside the namespaces and to the one inside.
type settings struct {
	dir      string            // everything of this run lives here
	bin      string            // etcd, kube-apiserver, … and kubectl
	stages   string            // kwok's Stage documents, joined
	programs map[string]string // image -> program that the node "host" runs for it
	command  []string
}

func parseSettings(args []string) (settings, error) {
	s := settings{programs: map[string]string{}}
	flags := flag.NewFlagSet("testbed", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.dir, "dir", "", "")
	flags.StringVar(&s.bin, "bin", "", "")
	flags.StringVar(&s.stages, "stages", "", "")
	flags.Func("program", "", func(value string) error {
		image, program, found := strings.Cut(value, "=")
		if !found {
			return fmt.Errorf("%q: expected IMAGE=PATH", value)
		}
		s.programs[image] = program
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return s, fmt.Errorf("%w\n%w", err, errUsage)
	}
	s.command = flags.Args()
	if s.bin == "" || s.stages == "" || len(s.command) == 0 {
		return s, errUsage
	}
	return s, nil
}

// arguments spells the settings again, for the process inside.
func (s settings) arguments() []string {
	args := []string{"--dir", s.dir, "--bin", s.bin, "--stages", s.stages}
	for image, program := range s.programs {
		args = append(args, "--program", image+"="+program)
	}
	return append(append(args, "--"), s.command...)
}
