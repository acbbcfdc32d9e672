package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// proxy stands between a controller and the API server. It hands everything
// on, counts the writes, and can kill a process in the worst moment there is:
// after the API server did what was asked and before the asker hears of it.
//
//	GET  /testbed/writes                  {"count": 3, "killed": false, "writes": ["POST /api/…"]}
//	POST /testbed/kill?pid=PID&after=K    kill at the K-th write from now on; the count starts at 0
//
// With --slow 300ms each write waits so long before it is handed on.
func proxy(args []string) error {
	flags := flag.NewFlagSet("proxy", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	listen := flags.String("listen", "127.0.0.1:0", "")
	slow := flags.Duration("slow", 0, "")
	if err := flags.Parse(args); err != nil {
		return errors.Join(err, errUsage)
	}
	dir := os.Getenv("SIGNET_TESTBED")
	if dir == "" {
		return errors.New("SIGNET_TESTBED is not set: the proxy runs inside the testbed (tests/testbed/with)")
	}
	identity, err := newByIdentity(filepath.Join(dir, "pki"))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	return http.Serve(listener, held(*slow, newProxy(apiServer, identity)))
}

// held lets each write wait, so that others come between a look and what follows from it.
func held(wait time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if counts(r) {
			time.Sleep(wait)
		}
		next.ServeHTTP(w, r)
	})
}

// writeCounter is the proxy's memory, and its trigger.
type writeCounter struct {
	mutex  sync.Mutex
	Count  int      `json:"count"`
	Killed bool     `json:"killed"`
	Writes []string `json:"writes"`
	pid    int
	after  int
}

func newProxy(server string, transport http.RoundTripper) http.Handler {
	target, err := url.Parse(server)
	if err != nil {
		panic(err) // a constant
	}
	counter := &writeCounter{}
	reverse := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:      transport,
		FlushInterval:  -1, // watches arrive as they happen
		ModifyResponse: counter.see,
		ErrorHandler:   sayUnlessTheAskerLeft,
	}
	routes := http.NewServeMux()
	routes.Handle("/", reverse)
	routes.HandleFunc("GET /testbed/writes", counter.show)
	routes.HandleFunc("POST /testbed/kill", counter.arm)
	return routes
}

// sayUnlessTheAskerLeft is for errors on the way to the API server. That a killed
// process no longer waits for its answer is what the proxy is for, and no error.
func sayUnlessTheAskerLeft(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		fmt.Fprintf(os.Stderr, "testbed proxy: %s %s: %v\n", r.Method, r.URL.Path, err)
	}
	w.WriteHeader(http.StatusBadGateway)
}

// byIdentity sends a request with a token as whoever the token says, and one
// without as the admin. A client certificate would win over any token.
type byIdentity struct{ bearer, admin http.RoundTripper }

func newByIdentity(pki string) (byIdentity, error) {
	admin, err := adminTLS(pki)
	if err != nil {
		return byIdentity{}, err
	}
	cluster, err := clusterTLS(pki)
	if err != nil {
		return byIdentity{}, err
	}
	return byIdentity{
		bearer: &http.Transport{TLSClientConfig: cluster, ForceAttemptHTTP2: true},
		admin:  &http.Transport{TLSClientConfig: admin, ForceAttemptHTTP2: true},
	}, nil
}

func (t byIdentity) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Authorization") != "" {
		return t.bearer.RoundTrip(r)
	}
	return t.admin.RoundTrip(r)
}

// counts says whether a request is a step of a controller's work. Events,
// leases, reviews and dry-runs leave nothing behind that a restart could lose.
func counts(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return false
	}
	for _, ignored := range []string{"/events", "/leases", "/tokenreviews", "/subjectaccessreviews", "/selfsubjectaccessreviews"} {
		if strings.HasSuffix(r.URL.Path, ignored) || strings.Contains(r.URL.Path, ignored+"/") {
			return false
		}
	}
	return !r.URL.Query().Has("dryRun")
}

func (c *writeCounter) see(response *http.Response) error {
	if response.StatusCode >= 300 || !counts(response.Request) {
		return nil
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.Killed {
		return nil
	}
	c.Count++
	c.Writes = append(c.Writes, response.Request.Method+" "+response.Request.URL.Path)
	if c.pid == 0 || c.Count != c.after {
		return nil
	}
	c.Killed = true
	if err := syscall.Kill(c.pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill process %d: %w", c.pid, err)
	}
	panic(http.ErrAbortHandler) // the answer never arrives
}

func (c *writeCounter) show(w http.ResponseWriter, _ *http.Request) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(c)
}

func (c *writeCounter) arm(w http.ResponseWriter, r *http.Request) {
	pid, errPid := strconv.Atoi(r.URL.Query().Get("pid"))
	after, errAfter := strconv.Atoi(r.URL.Query().Get("after"))
	if errPid != nil || errAfter != nil || pid <= 0 || after <= 0 {
		http.Error(w, "expected pid and after, both above 0", http.StatusBadRequest)
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.pid, c.after, c.Count, c.Killed, c.Writes = pid, after, 0, false, nil
	w.WriteHeader(http.StatusNoContent)
}
