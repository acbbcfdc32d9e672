package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// imageMark divides the path of a program into an image's root and a path in
// there, as rsync's does.
const imageMark = "/./"

const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

// podRoot is what the process that becomes a container has to know. It travels
// as JSON in an argument.
type podRoot struct {
	Name    string            // of the Pod, which is its host name
	Home    string            // the Pod's folder; the new root is mounted in it
	Program string            // stands in for the image's entry point
	Image   string            // the image's own root; without one, every folder of the machine appears
	User    int               // whom the process runs as, where there is an image; else as we do
	Mounts  map[string]string // mount path -> folder of ours
	WorkDir string
	Args    []string
}

// podRoot says how to start the container. The first word of `command` is left
// out, since the program is known.
func (s *containerState) podRoot() (string, error) {
	root := podRoot{
		Name:    s.worker.pod.Metadata.Name,
		Home:    s.worker.home,
		Mounts:  map[string]string{serviceAccountFolder: filepath.Join(s.worker.home, "serviceaccount")},
		WorkDir: s.spec.WorkingDir,
		Program: s.worker.kubelet.programs[s.spec.Image],
	}
	if image, program, found := strings.Cut(root.Program, imageMark); found {
		root.Image, root.Program, root.User = image, program, s.spec.SecurityContext.RunAsUser
	}
	if len(s.spec.Command) > 1 {
		root.Args = append(root.Args, s.spec.Command[1:]...)
	}
	root.Args = append(root.Args, s.spec.Args...)
	for _, mount := range s.spec.VolumeMounts {
		folder := s.worker.volume(mount.Name)
		if _, err := os.Stat(folder); err == nil {
			root.Mounts[mount.MountPath] = folder
		}
	}
	text, err := json.Marshal(root)
	return string(text), err
}

func (s *containerState) environment() []string {
	metadata, spec := s.worker.pod.Metadata, s.worker.pod.Spec
	fields := map[string]string{
		"metadata.name": metadata.Name, "metadata.namespace": metadata.Namespace, "metadata.uid": metadata.UID,
		"spec.nodeName": spec.NodeName, "spec.serviceAccountName": spec.ServiceAccountName,
		"status.podIP": address, "status.hostIP": address,
	}
	env := []string{"KUBERNETES_SERVICE_HOST=" + address, "KUBERNETES_SERVICE_PORT=6443"}
	for _, v := range s.spec.Env {
		value := v.Value
		if v.ValueFrom != nil && v.ValueFrom.FieldRef != nil {
			value = fields[v.ValueFrom.FieldRef.FieldPath]
		}
		env = append(env, v.Name+"="+value)
	}
	return env
}

// enterPod becomes the container's process. Its root is a fresh one in which
// every folder of the machine appears under its name, the Pod's volumes too,
// and /var/run holds the service account's files and nothing else. So nothing
// is ever created on the machine itself.
func enterPod(args []string) error {
	var root podRoot
	if err := json.Unmarshal([]byte(args[0]), &root); err != nil {
		return err
	}
	if err := syscall.Sethostname([]byte(root.Name)); err != nil {
		return fmt.Errorf("set the host name: %w", err)
	}
	if err := root.build(); err != nil {
		return fmt.Errorf("build the container's root: %w", err)
	}
	if err := syscall.Chroot(root.path("")); err != nil {
		return err
	}
	if err := os.Chdir(filepath.Join("/", root.WorkDir)); err != nil {
		return err
	}
	if root.Image != "" {
		if err := becomeUser(root.User); err != nil {
			return fmt.Errorf("become user %d: %w", root.User, err)
		}
	}
	program := root.entryPoint()
	return fmt.Errorf("start %s: %w", program, syscall.Exec(program, append([]string{program}, root.Args...), os.Environ()))
}

// entryPoint is the program's path inside. It lies at the top, where no volume
// can hide it.
func (r podRoot) entryPoint() string { return "/" + filepath.Base(r.Program) }

func (r podRoot) path(inside string) string { return filepath.Join(r.Home, "root", inside) }

// becomeUser gives up root for good. Where we are root in a user namespace of
// a single user only, there is nobody else to become.
func becomeUser(user int) error {
	if user == 0 || !severalUsers() {
		return nil
	}
	if err := syscall.Setgroups([]int{volumeGroup}); err != nil {
		return err
	}
	if err := syscall.Setgid(user); err != nil {
		return err
	}
	return syscall.Setuid(user)
}

func severalUsers() bool {
	mapped, err := os.ReadFile("/proc/self/uid_map")
	fields := strings.Fields(string(mapped))
	return err == nil && len(fields) == 3 && fields[2] != "1"
}

func (r podRoot) build() error {
	if err := os.MkdirAll(r.path(""), 0o755); err != nil {
		return err
	}
	if r.Image != "" {
		return r.buildFromImage()
	}
	if err := mountEmpty(r.path("")); err != nil {
		return err
	}
	entries, err := os.ReadDir("/")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := r.repeat(entry); err != nil {
			return fmt.Errorf("/%s: %w", entry.Name(), err)
		}
	}
	if err := r.bindProgram(); err != nil {
		return fmt.Errorf("%s: %w", r.Program, err)
	}
	run, err := filepath.EvalSymlinks("/var/run")
	if err != nil {
		return err
	}
	if err := mountEmpty(r.path(run)); err != nil {
		return err
	}
	for target, folder := range r.Mounts {
		if err := r.mountVolume(strings.Replace(target, "/var/run", run, 1), folder); err != nil {
			return fmt.Errorf("mount path %s: %w", target, err)
		}
	}
	return nil
}

// repeat shows one entry of / in the new root.
func (r podRoot) repeat(entry os.DirEntry) error {
	from, to := "/"+entry.Name(), r.path(entry.Name())
	switch {
	case entry.Type()&os.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case !entry.IsDir():
		return nil
	}
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	return bind(from, to)
}

func (r podRoot) bindProgram() error {
	if err := os.WriteFile(r.path(r.entryPoint()), nil, 0o755); err != nil {
		return err
	}
	return bind(r.Program, r.path(r.entryPoint()))
}

func (r podRoot) mountVolume(target, folder string) error {
	err := os.MkdirAll(r.path(target), 0o755)
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w: the testbed can only mount at the top level or on folders that exist", err)
	}
	if err != nil {
		return err
	}
	return bind(folder, r.path(target))
}

func bind(from, to string) error {
	return syscall.Mount(from, to, "", syscall.MS_BIND|syscall.MS_REC, "")
}

func mountEmpty(target string) error {
	return syscall.Mount("tmpfs", target, "tmpfs", 0, "mode=0755")
}
