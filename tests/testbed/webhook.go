package main

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
)

// What the webhook makes of Deployments.
const (
	injectedLabel   = "injected"
	injectedSidecar = "sidecar"
	mirror          = "registry.testbed/"
	mirrorPolicy    = "Always"
)

// webhook is a mutating admission webhook of Deployments, over HTTPS with a
// certificate of its own authority, as the API server wants it:
//
//	POST /inject     adds a sidecar and a label, as a service mesh does
//	POST /rewrite    has all images come from a mirror, and pulled always, as a policy does
//
// Both leave alone what is as they want it. On standard output it says where it
// is, in one line of JSON: {"url": "https://…", "caBundle": "…", "asked": "http://…"}.
// The last of these is for tests:
//
//	GET  /           {"writes": 2, "dryRuns": 1}
func webhook(args []string) error {
	if len(args) != 0 {
		return errUsage
	}
	dir := os.Getenv("SIGNET_TESTBED")
	if dir == "" {
		return errors.New("SIGNET_TESTBED is not set: the webhook runs inside the testbed (tests/testbed/with)")
	}
	folder, err := os.MkdirTemp(dir, "webhook-")
	if err != nil {
		return err
	}
	secure, bundle, err := listenTLS(folder, address+":0")
	if err != nil {
		return err
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	counter := &reviewCounter{}
	go http.Serve(plain, http.HandlerFunc(counter.show))
	where := map[string]string{
		"url":      fmt.Sprintf("https://%s", secure.Addr()),
		"caBundle": base64.StdEncoding.EncodeToString(bundle),
		"asked":    fmt.Sprintf("http://%s/", plain.Addr()),
	}
	if err := json.NewEncoder(os.Stdout).Encode(where); err != nil {
		return err
	}
	return http.Serve(secure, counter.reviews())
}

// listenTLS makes an authority and a server's certificate in a folder. It
// returns the authority's certificate, which is what clients have to trust.
func listenTLS(folder, listen string) (net.Listener, []byte, error) {
	authority, err := newAuthority(folder)
	if err != nil {
		return nil, nil, err
	}
	if err := authority.server("webhook"); err != nil {
		return nil, nil, err
	}
	pair, err := tls.LoadX509KeyPair(authority.path("webhook.crt"), authority.path("webhook.key"))
	if err != nil {
		return nil, nil, err
	}
	bundle, err := os.ReadFile(authority.path("ca.crt"))
	if err != nil {
		return nil, nil, err
	}
	listener, err := tls.Listen("tcp", listen, &tls.Config{Certificates: []tls.Certificate{pair}})
	return listener, bundle, err
}

// admissionReview is as much of admission.k8s.io/v1 as is needed here.
type admissionReview struct {
	APIVersion string             `json:"apiVersion"`
	Kind       string             `json:"kind"`
	Request    *admissionRequest  `json:"request,omitempty"`
	Response   *admissionResponse `json:"response,omitempty"`
}

type admissionRequest struct {
	UID    string     `json:"uid"`
	DryRun bool       `json:"dryRun"`
	Object deployment `json:"object"`
}

type admissionResponse struct {
	UID       string `json:"uid"`
	Allowed   bool   `json:"allowed"`
	PatchType string `json:"patchType"`
	Patch     []byte `json:"patch"`
}

type deployment struct {
	Metadata struct {
		Labels map[string]string `json:"labels"`
	} `json:"metadata"`
	Spec struct {
		Template struct {
			Spec struct {
				Containers []struct {
					Name            string `json:"name"`
					Image           string `json:"image"`
					ImagePullPolicy string `json:"imagePullPolicy"`
				} `json:"containers"`
			} `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
}

// change is an operation of a JSON patch. "add" sets a field that is there, too.
type change struct {
	Operation string `json:"op"`
	Path      string `json:"path"`
	Value     any    `json:"value"`
}

func add(path string, value any) change { return change{"add", path, value} }

const containersPath = "/spec/template/spec/containers/"

func inject(object deployment) []change {
	changes := []change{}
	switch _, labelled := object.Metadata.Labels[injectedLabel]; {
	case object.Metadata.Labels == nil:
		changes = append(changes, add("/metadata/labels", map[string]string{injectedLabel: "yes"}))
	case !labelled:
		changes = append(changes, add("/metadata/labels/"+injectedLabel, "yes"))
	}
	for _, container := range object.Spec.Template.Spec.Containers {
		if container.Name == injectedSidecar {
			return changes
		}
	}
	sidecar := map[string]string{"name": injectedSidecar, "image": "sidecar:1"}
	return append(changes, add(containersPath+"-", sidecar))
}

func rewrite(object deployment) []change {
	changes := []change{}
	for index, container := range object.Spec.Template.Spec.Containers {
		field := func(name string) string { return fmt.Sprintf("%s%d/%s", containersPath, index, name) }
		if !strings.HasPrefix(container.Image, mirror) {
			changes = append(changes, add(field("image"), mirror+container.Image))
		}
		if container.ImagePullPolicy != mirrorPolicy {
			changes = append(changes, add(field("imagePullPolicy"), mirrorPolicy))
		}
	}
	return changes
}

// reviewCounter remembers how often the webhook was asked.
type reviewCounter struct {
	mutex   sync.Mutex
	Writes  int `json:"writes"`
	DryRuns int `json:"dryRuns"`
}

func (c *reviewCounter) reviews() http.Handler {
	routes := http.NewServeMux()
	routes.Handle("POST /inject", c.answering(inject))
	routes.Handle("POST /rewrite", c.answering(rewrite))
	return routes
}

func (c *reviewCounter) answering(mutate func(deployment) []change) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var review admissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
			http.Error(w, "expected an AdmissionReview with a request", http.StatusBadRequest)
			return
		}
		c.count(review.Request.DryRun)
		patch, err := json.Marshal(mutate(review.Request.Object))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		review.Response = &admissionResponse{UID: review.Request.UID, Allowed: true, PatchType: "JSONPatch", Patch: patch}
		review.Request = nil
		writeJSON(w, review)
	}
}

func (c *reviewCounter) count(dryRun bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if dryRun {
		c.DryRuns++
	} else {
		c.Writes++
	}
}

func (c *reviewCounter) show(w http.ResponseWriter, _ *http.Request) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	writeJSON(w, c)
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}
