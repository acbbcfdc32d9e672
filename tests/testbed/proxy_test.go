package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// A server that answers everything with 200 and counts, behind a proxy.
func proxied(t *testing.T) (proxy *httptest.Server, arrived *atomic.Int32) {
	arrived = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }))
	proxy = httptest.NewServer(newProxy(server.URL, http.DefaultTransport))
	t.Cleanup(server.Close)
	t.Cleanup(proxy.Close)
	return proxy, arrived
}

func send(method, url string) error {
	request, err := http.NewRequest(method, url, strings.NewReader(""))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func TestTheKthWriteIsDoneAndItsAskerKilledBeforeItHears(t *testing.T) {
	proxy, arrived := proxied(t)
	asker := exec.Command("sleep", "600")
	if err := asker.Start(); err != nil {
		t.Fatal(err)
	}
	if err := send("POST", fmt.Sprintf("%s/testbed/kill?pid=%d&after=2", proxy.URL, asker.Process.Pid)); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"POST", "GET"} {
		if err := send(method, proxy.URL+"/api/v1/namespaces/a/secrets"); err != nil {
			t.Fatal(err)
		}
	}
	if err := send("PUT", proxy.URL+"/api/v1/namespaces/a/secrets/b"); err == nil {
		t.Error("the answer to the second write arrived")
	}
	if arrived.Load() != 3 {
		t.Errorf("%d requests arrived at the server, expected 3", arrived.Load())
	}
	asker.Wait()
	if status := asker.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		t.Errorf("the asker ended with %v", asker.ProcessState)
	}
}

func TestWhatLeavesNothingBehindDoesNotCount(t *testing.T) {
	for target, expected := range map[string]bool{
		"POST /api/v1/namespaces/a/secrets":                           true,
		"PATCH /apis/apps/v1/namespaces/a/deployments/b":              true,
		"PATCH /apis/apps/v1/namespaces/a/deployments/b?dryRun=All":   false,
		"GET /api/v1/namespaces/a/secrets":                            false,
		"POST /api/v1/namespaces/a/events":                            false,
		"PATCH /api/v1/namespaces/a/events/b":                         false,
		"PUT /apis/coordination.k8s.io/v1/namespaces/a/leases/b":      false,
		"POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews": false,
	} {
		method, url, _ := strings.Cut(target, " ")
		if counts(httptest.NewRequest(method, url, nil)) != expected {
			t.Errorf("%s: expected %v", target, expected)
		}
	}
}
