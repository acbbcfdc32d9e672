package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority is the run's own certificate authority. It signs the API server's
// certificate and the clients', and is thrown away with the run's directory.
type authority struct {
	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	serial      int64
}

// lifetime is long enough for a demo that somebody leaves open for a month.
const lifetime = 31 * 24 * time.Hour

// skew is by how much the clock of a program may be behind for it to be believed.
const skew = 24 * time.Hour

func newAuthority(dir string) (*authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	a := &authority{dir: dir}
	template := a.template("testbed", "")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	key, der, err := a.sign("ca", template)
	if err != nil {
		return nil, err
	}
	a.key = key
	a.certificate, err = x509.ParseCertificate(der)
	return a, err
}

func (a *authority) template(commonName, organisation string) *x509.Certificate {
	a.serial++
	subject := pkix.Name{CommonName: commonName}
	if organisation != "" {
		subject.Organization = []string{organisation}
	}
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.serial),
		Subject:      subject,
		NotBefore:    time.Now().Add(-skew),
		NotAfter:     time.Now().Add(lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

// server issues NAME.crt and NAME.key for the addresses in the namespace.
func (a *authority) server(name string) error {
	template := a.template(name, "")
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.IPAddresses = []net.IP{net.ParseIP(address), net.ParseIP("127.0.0.1"), net.ParseIP("10.96.0.1")}
	template.DNSNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	_, _, err := a.sign(name, template)
	return err
}

// client issues NAME.crt and NAME.key for a user and a group of the API server.
func (a *authority) client(name, user, group string) error {
	template := a.template(user, group)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	_, _, err := a.sign(name, template)
	return err
}

func (a *authority) sign(name string, template *x509.Certificate) (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	issuer, issuerKey := a.certificate, a.key
	if issuer == nil {
		issuer, issuerKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, issuerKey)
	if err != nil {
		return nil, nil, err
	}
	keyDer, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	if err := a.write(name+".key", "EC PRIVATE KEY", keyDer); err != nil {
		return nil, nil, err
	}
	return key, der, a.write(name+".crt", "CERTIFICATE", der)
}

func (a *authority) write(name, kind string, der []byte) error {
	return os.WriteFile(a.path(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

// kubeconfig writes a file that holds all it needs and can be copied anywhere
// in the namespaces.
func (a *authority) kubeconfig(file, client string) error {
	data := map[string]string{}
	for _, name := range []string{"ca.crt", client + ".crt", client + ".key"} {
		content, err := os.ReadFile(a.path(name))
		if err != nil {
			return err
		}
		data[name] = base64.StdEncoding.EncodeToString(content)
	}
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: testbed
contexts: [{name: testbed, context: {cluster: testbed, user: %[1]s}}]
clusters: [{name: testbed, cluster: {server: "%[2]s", certificate-authority-data: %[3]s}}]
users: [{name: %[1]s, user: {client-certificate-data: %[4]s, client-key-data: %[5]s}}]
`, client, apiServer, data["ca.crt"], data[client+".crt"], data[client+".key"])
	return os.WriteFile(file, []byte(text), 0o600)
}
