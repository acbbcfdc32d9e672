package main

import (
	"net/http"
	"os"
	"strconv"
	"strings"
)

// serveLogs is the part of a kubelet's API that `kubectl logs` needs: whole
// logs and their last lines, without following them.
func (k *kubelet) serveLogs() error {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		name := "logs/pod-" + r.PathValue("namespace") + "-" + r.PathValue("pod") + "-" + r.PathValue("container") + ".log"
		text, err := os.ReadFile(k.path(name))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte(lastLines(string(text), r.URL.Query().Get("tailLines"))))
	})
	failed := make(chan error, 1)
	server := &http.Server{Addr: address + ":" + strconv.Itoa(kubeletPort), Handler: routes}
	go func() { failed <- server.ListenAndServeTLS(k.path("pki/apiserver.crt"), k.path("pki/apiserver.key")) }()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func lastLines(text, count string) string {
	wanted, err := strconv.Atoi(count)
	if err != nil {
		return text
	}
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-1-wanted):], "")
}
