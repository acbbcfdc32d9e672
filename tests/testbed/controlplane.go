package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
)

const etcd = "http://127.0.0.1:2379"

// auditPolicy records who asked for what, and no contents.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
`

// schedulerConfiguration lets two rules alone decide: a Pod goes where its
// image is (the node "host" has our own programs), and else away from the taint
// on "host". The raised client limits keep the scheduler out of measurements.
const schedulerConfiguration = `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
leaderElection: {leaderElect: false}
clientConnection: {kubeconfig: %s, qps: 500, burst: 1000}
profiles:
- schedulerName: default-scheduler
  plugins:
    score:
      disabled: [{name: "*"}]
      enabled: [{name: TaintToleration, weight: 1}, {name: ImageLocality, weight: 2}]
`

func (b *bed) writeConfiguration() error {
	authority, err := newAuthority(b.path("pki"))
	if err != nil {
		return err
	}
	if err := authority.server("apiserver"); err != nil {
		return err
	}
	if err := authority.client("service-account", "service-account", ""); err != nil {
		return err
	}
	users := map[string][2]string{
		"admin":              {"testbed-admin", "system:masters"},
		"controller-manager": {"system:kube-controller-manager", ""},
		"scheduler":          {"system:kube-scheduler", ""},
	}
	files := map[string]string{"admin": "kubeconfig", "controller-manager": "etc/controller-manager", "scheduler": "etc/scheduler"}
	for name, user := range users {
		if err := authority.client(name, user[0], user[1]); err != nil {
			return err
		}
		if err := authority.kubeconfig(b.path(files[name]), name); err != nil {
			return err
		}
	}
	if err := os.WriteFile(b.path("etc/audit.yaml"), []byte(auditPolicy), 0o644); err != nil {
		return err
	}
	scheduler := fmt.Sprintf(schedulerConfiguration, b.path("etc/scheduler"))
	return os.WriteFile(b.path("etc/scheduler.yaml"), []byte(scheduler), 0o644)
}

func (b *bed) startControlPlane(ctx context.Context) error {
	if err := b.startEtcd(); err != nil {
		return err
	}
	if err := b.startAPIServer(); err != nil {
		return err
	}
	api, err := newClient(b.path("pki"))
	if err != nil {
		return err
	}
	ready := func(ctx context.Context) error { return api.call(ctx, http.MethodGet, "/readyz", nil, nil) }
	if err := b.await(ctx, "kube-apiserver", ready); err != nil {
		return err
	}
	if err := b.startControllers(); err != nil {
		return err
	}
	account := func(ctx context.Context) error {
		return api.get(ctx, "/api/v1/namespaces/default/serviceaccounts/default", new(any))
	}
	if err := b.await(ctx, "kube-controller-manager", account); err != nil {
		return err
	}
	return b.await(ctx, "kube-scheduler", plainHealth("https://127.0.0.1:10259/healthz", api))
}

func (b *bed) startEtcd() error {
	return b.daemon("etcd", "--name=testbed", "--data-dir="+b.path("etcd"), "--unsafe-no-fsync",
		"--listen-client-urls="+etcd, "--advertise-client-urls="+etcd,
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=testbed=http://127.0.0.1:2380", "--log-level=warn")
}

func (b *bed) startAPIServer() error {
	pki := func(name string) string { return b.path("pki/" + name) }
	return b.daemon("kube-apiserver", "--etcd-servers="+etcd, "--bind-address=0.0.0.0", "--advertise-address="+address,
		"--secure-port=6443", "--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.96.0.0/16",
		"--tls-cert-file="+pki("apiserver.crt"), "--tls-private-key-file="+pki("apiserver.key"), "--client-ca-file="+pki("ca.crt"),
		"--kubelet-preferred-address-types=InternalIP", "--kubelet-client-certificate="+pki("admin.crt"), "--kubelet-client-key="+pki("admin.key"),
		"--service-account-key-file="+pki("service-account.key"), "--service-account-signing-key-file="+pki("service-account.key"),
		"--service-account-issuer="+apiServer, "--authorization-mode=RBAC",
		// Nothing here takes the taint off again that this plugin puts on a new Node.
		"--disable-admission-plugins=TaintNodesByCondition",
		// One file, however long it gets: who counts requests reads all of it.
		"--audit-policy-file="+b.path("etc/audit.yaml"), "--audit-log-path="+b.path("logs/audit.log"), "--audit-log-maxsize=100000")
}

func (b *bed) startControllers() error {
	manager := b.path("etc/controller-manager")
	err := b.daemon("kube-controller-manager", "--kubeconfig="+manager, "--authentication-kubeconfig="+manager,
		"--authorization-kubeconfig="+manager, "--leader-elect=false", "--use-service-account-credentials",
		"--service-account-private-key-file="+b.path("pki/service-account.key"), "--root-ca-file="+b.path("pki/ca.crt"),
		// Nodes here are always well, and nobody sends their heartbeats.
		"--controllers=*,-node-lifecycle-controller", "--kube-api-qps=500", "--kube-api-burst=1000")
	if err != nil {
		return err
	}
	return b.daemon("kube-scheduler", "--config="+b.path("etc/scheduler.yaml"),
		"--authentication-kubeconfig="+b.path("etc/scheduler"), "--authorization-kubeconfig="+b.path("etc/scheduler"))
}

// plainHealth asks a health endpoint whose certificate is self-signed.
func plainHealth(url string, api *client) func(context.Context) error {
	transport := api.http.Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.InsecureSkipVerify = true
	insecure := &http.Client{Transport: transport}
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := insecure.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if text, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", response.Status, text)
		}
		return nil
	}
}
