package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A testbed with one daemon, "sleeper", and its remote control.
func controlled(t *testing.T) (*bed, *httptest.Server) {
	b := &bed{
		settings: settings{dir: t.TempDir(), bin: t.TempDir()},
		daemons:  map[string]*daemon{},
		died:     make(chan error, 8),
	}
	if err := os.Mkdir(b.path("logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	sleeper := "#!/bin/sh\necho begins\nexec sleep 600\n"
	if err := os.WriteFile(filepath.Join(b.bin, "sleeper"), []byte(sleeper), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := b.daemon("sleeper"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.daemons["sleeper"].stop() })
	server := httptest.NewServer(b.controls())
	t.Cleanup(server.Close)
	return b, server
}

func answers(t *testing.T, url string, expected int) {
	t.Helper()
	response, err := http.Post(url, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != expected {
		t.Errorf("%s: %s, expected %d", url, response.Status, expected)
	}
}

func TestADaemonIsStoppedAndStartedAndTheTestbedLivesOn(t *testing.T) {
	b, server := controlled(t)
	answers(t, server.URL+"/stop/sleeper", http.StatusNoContent)
	answers(t, server.URL+"/stop/sleeper", http.StatusConflict)
	answers(t, server.URL+"/start/sleeper", http.StatusNoContent)
	answers(t, server.URL+"/start/sleeper", http.StatusConflict)
	answers(t, server.URL+"/stop/nobody", http.StatusNotFound)
	select {
	case died := <-b.died:
		t.Errorf("the testbed takes it for dead: %v", died)
	default:
	}
}

func TestADaemonThatEndsByItselfIsToldAlsoInItsSecondLife(t *testing.T) {
	b, server := controlled(t)
	answers(t, server.URL+"/stop/sleeper", http.StatusNoContent)
	answers(t, server.URL+"/start/sleeper", http.StatusNoContent)
	b.daemons["sleeper"].run.cmd.Process.Kill()
	select {
	case died := <-b.died:
		if !strings.HasPrefix(died.Error(), "sleeper ended (signal: killed)") {
			t.Error(died)
		}
	case <-time.After(time.Minute):
		t.Error("nobody was told")
	}
}
