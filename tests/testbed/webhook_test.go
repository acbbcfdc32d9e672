package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What a client that trusts the bundle alone is answered by the webhook: the patch.
func reviewed(t *testing.T, client *http.Client, url string, dryRun bool, object string) string {
	t.Helper()
	body := fmt.Sprintf(`{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
		"request": {"uid": "a-b-c", "dryRun": %v, "object": %s}}`, dryRun, object)
	response, err := client.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var review admissionReview
	if err := json.NewDecoder(response.Body).Decode(&review); err != nil {
		t.Fatal(err)
	}
	if review.APIVersion != "admission.k8s.io/v1" || review.Kind != "AdmissionReview" || review.Request != nil {
		t.Errorf("no AdmissionReview with an answer: %+v", review)
	}
	if review.Response.UID != "a-b-c" || !review.Response.Allowed || review.Response.PatchType != "JSONPatch" {
		t.Errorf("the request is not answered: %+v", review.Response)
	}
	return string(review.Response.Patch)
}

func TestTheWebhookIsTrustedByItsBundleAndChangesWhatIsNotAsItWants(t *testing.T) {
	listener, bundle, err := listenTLS(t.TempDir(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	counter := &reviewCounter{}
	go http.Serve(listener, counter.reviews())
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(bundle)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}

	of := func(labels, containers string) string {
		return fmt.Sprintf(`{"metadata": {%s}, "spec": {"template": {"spec": {"containers": [%s]}}}}`, labels, containers)
	}
	plain := `{"name": "main", "image": "web:1", "imagePullPolicy": "IfNotPresent"}`
	mirrored := `{"name": "main", "image": "registry.testbed/web:1", "imagePullPolicy": "Always"}`
	sidecar := `{"op":"add","path":"/spec/template/spec/containers/-","value":{"image":"sidecar:1","name":"sidecar"}}`
	for _, row := range []struct{ path, object, patch string }{
		{"/inject", of("", plain), `[{"op":"add","path":"/metadata/labels","value":{"injected":"yes"}},` + sidecar + `]`},
		{"/inject", of(`"labels": {"a": "b"}`, plain), `[{"op":"add","path":"/metadata/labels/injected","value":"yes"},` + sidecar + `]`},
		{"/inject", of(`"labels": {"injected": "yes"}`, `{"name": "sidecar"}`), `[]`},
		{"/rewrite", of("", mirrored+","+plain), `[{"op":"add","path":"/spec/template/spec/containers/1/image","value":"registry.testbed/web:1"},` +
			`{"op":"add","path":"/spec/template/spec/containers/1/imagePullPolicy","value":"Always"}]`},
		{"/rewrite", of("", mirrored), `[]`},
	} {
		url := fmt.Sprintf("https://%s%s", listener.Addr(), row.path)
		if patch := reviewed(t, client, url, row.patch == "[]", row.object); patch != row.patch {
			t.Errorf("%s of %s: %s, expected %s", row.path, row.object, patch, row.patch)
		}
	}

	recorder := httptest.NewRecorder()
	counter.show(recorder, nil)
	if counts := strings.TrimSpace(recorder.Body.String()); counts != `{"writes":3,"dryRuns":2}` {
		t.Errorf("it says it was asked %s", counts)
	}
}
