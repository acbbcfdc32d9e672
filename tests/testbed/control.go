package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// controlServer is where `testbed stop` and `testbed start` reach the testbed
// around them.
const controlServer = address + ":3001"

func (b *bed) serveControl() error {
	listener, err := net.Listen("tcp", controlServer)
	if err != nil {
		return err
	}
	go http.Serve(listener, b.controls())
	return nil
}

// controls stops and starts the daemons of the testbed:
//
//	POST /stop/NAME     204 once it is gone
//	POST /start/NAME    204 once it runs; it may need a while until it answers
func (b *bed) controls() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("POST /stop/{name}", b.toDaemon((*daemon).stop))
	routes.HandleFunc("POST /start/{name}", b.toDaemon((*daemon).start))
	return routes
}

func (b *bed) toDaemon(do func(*daemon) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d, found := b.daemons[r.PathValue("name")]
		if !found {
			http.Error(w, "expected a daemon of the testbed, for example kube-apiserver", http.StatusNotFound)
			return
		}
		if err := do(d); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// control asks the testbed around this process to stop or start a daemon.
func control(verb string, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	response, err := http.Post("http://"+controlServer+"/"+verb+"/"+args[0], "", nil)
	if err != nil {
		return fmt.Errorf("%w (this works inside of tests/testbed/with)", err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNoContent {
		return nil
	}
	text, err := io.ReadAll(response.Body)
	return errors.Join(errors.New(strings.TrimSpace(string(text))), err)
}
