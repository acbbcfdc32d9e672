package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

const apiServer = "https://" + address + ":6443"

// client talks to the API server as the admin, in JSON and nothing else.
type client struct{ http *http.Client }

func newClient(pki string) (*client, error) {
	config, err := adminTLS(pki)
	if err != nil {
		return nil, err
	}
	return &client{&http.Client{Transport: &http.Transport{TLSClientConfig: config}}}, nil
}

func adminTLS(pki string) (*tls.Config, error) {
	config, err := clusterTLS(pki)
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(pki, "admin.crt"), filepath.Join(pki, "admin.key"))
	config.Certificates = []tls.Certificate{pair}
	return config, err
}

func clusterTLS(pki string) (*tls.Config, error) {
	ca, err := os.ReadFile(filepath.Join(pki, "ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &tls.Config{RootCAs: pool}, nil
}

// refusal is an answer of the API server that is not a success.
type refusal struct {
	Code    int
	Message string
}

func (r *refusal) Error() string { return fmt.Sprintf("API server: %d %s", r.Code, r.Message) }

func (c *client) get(ctx context.Context, path string, into any) error {
	return c.call(ctx, http.MethodGet, path, nil, into)
}

func (c *client) post(ctx context.Context, path string, body, into any) error {
	return c.call(ctx, http.MethodPost, path, body, into)
}

// patch sends a JSON merge patch.
func (c *client) patch(ctx context.Context, path string, body any) error {
	return c.call(ctx, http.MethodPatch, path, body, nil)
}

func (c *client) delete(ctx context.Context, path string, options any) error {
	return c.call(ctx, http.MethodDelete, path, options, nil)
}

func (c *client) call(ctx context.Context, method, path string, body, into any) error {
	response, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if into == nil {
		_, err := io.Copy(io.Discard, response.Body)
		return err
	}
	return json.NewDecoder(response.Body).Decode(into)
}

func (c *client) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, apiServer+path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode < 300 {
		return response, nil
	}
	defer response.Body.Close()
	refused := &refusal{Code: response.StatusCode}
	text, _ := io.ReadAll(response.Body)
	if json.Unmarshal(text, refused) != nil {
		refused.Message = string(text)
	}
	return nil, refused
}
