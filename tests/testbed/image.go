package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// volumeGroup owns the volumes of a Pod whose image has a root of its own, as
// with the fsGroup that charts give.
const volumeGroup = 65534

// What a container runtime puts beside the files of an image.
var devices = []string{"full", "null", "random", "urandom", "zero"}

const names = "nameserver " + address + "\n"

// buildFromImage makes a root of the image's files and what a container
// runtime adds: /proc, some devices, how to find hosts. It ends up read-only.
func (r podRoot) buildFromImage() error {
	if err := r.copyImage(); err != nil {
		return err
	}
	for _, folder := range []string{"proc", "dev", "etc"} {
		if err := os.MkdirAll(r.path(folder), 0o755); err != nil {
			return err
		}
	}
	if err := bind("/proc", r.path("proc")); err != nil {
		return err
	}
	for _, device := range devices {
		if err := r.bindFile("/dev/" + device); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"hosts": "127.0.0.1 localhost\n", "resolv.conf": names} {
		if err := os.WriteFile(r.path("etc/"+name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	for target, folder := range r.Mounts {
		if err := r.mountVolume(target, folder); err != nil {
			return fmt.Errorf("mount path %s: %w", target, err)
		}
		if err := openToGroup(folder); err != nil {
			return err
		}
	}
	return syscall.Mount("", r.path(""), "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
}

// copyImage unpacks the image, so that nothing is ever added to it.
func (r podRoot) copyImage() error {
	if err := mountEmpty(r.path("")); err != nil {
		return err
	}
	return os.CopyFS(r.path(""), os.DirFS(r.Image))
}

func (r podRoot) bindFile(file string) error {
	if err := os.WriteFile(r.path(file), nil, 0o644); err != nil {
		return err
	}
	return bind(file, r.path(file))
}

// openToGroup lets the volume's group write. The files of a service account
// are for their reader alone, who is a member too.
func openToGroup(folder string) error {
	if !severalUsers() {
		return nil
	}
	return filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := os.Lchown(path, -1, volumeGroup); err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Chmod(path, 0o775)
		}
		return nil
	})
}
