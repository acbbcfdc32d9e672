package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"strings"
)

const gitServer = "http://" + address + ":3000"

// Whoever clones from below /private/ has to say these.
const gitUser, gitPassword = "signet", "testbed"

// largestPush bounds what is held in memory of one request.
const largestPush = 256 << 20

// serveGit serves the bare repositories below root with Git's own HTTP
// backend, for reading and writing. Each request is a line of the journal, and
// so is what the backend has to say.
func serveGit(root string, journal io.Writer) error {
	output, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return err
	}
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(output)), "git-http-backend"),
		Root: "/",
		Env: []string{
			"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=" + gitUser,
			"HOME=" + root, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_COUNT=3",
			"GIT_CONFIG_KEY_0=http.receivepack", "GIT_CONFIG_VALUE_0=true",
			"GIT_CONFIG_KEY_1=safe.directory", "GIT_CONFIG_VALUE_1=*",
			"GIT_CONFIG_KEY_2=uploadpack.allowAnySHA1InWant", "GIT_CONFIG_VALUE_2=true",
		},
		InheritEnv: []string{"PATH"},
		Stderr:     journal,
		Logger:     log.New(io.Discard, "", 0),
	}
	listener, err := net.Listen("tcp", address+":3000")
	if err != nil {
		return err
	}
	go http.Serve(listener, noted(journal, guardPrivate(withLength(backend))))
	return nil
}

func noted(journal io.Writer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(journal, "%s %s\n", r.Method, r.URL)
		next.ServeHTTP(w, r)
	})
}

func guardPrivate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if strings.HasPrefix(r.URL.Path, "/private/") && (user != gitUser || password != gitPassword) {
			w.Header().Set("WWW-Authenticate", `Basic realm="testbed"`)
			http.Error(w, "this repository wants a user name and a password", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// withLength turns a chunked request, which CGI doesn't know and Git sends for
// anything large, into one with a length.
func withLength(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestPush))
			if err != nil {
				http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
				return
			}
			r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		}
		next.ServeHTTP(w, r)
	})
}
