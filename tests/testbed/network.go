package main

import (
	"net/netip"
	"syscall"
	"unsafe"
)

// address is where everything listens. It is not a loopback address, because
// the API server's service proxy refuses those.
const address = "10.200.0.1"

// ifreq is the kernel's struct ifreq: a device's name and a union of 24 bytes.
type ifreq struct {
	name  [16]byte
	union [24]byte
}

// raiseLoopback brings `lo` up and gives it our address under an alias. It
// uses ioctl, so that no network tool has to be installed.
func raiseLoopback() error {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(socket)
	up := newIfreq("lo")
	*(*uint16)(unsafe.Pointer(&up.union)) = syscall.IFF_UP | syscall.IFF_RUNNING | syscall.IFF_LOOPBACK
	if err := ioctl(socket, syscall.SIOCSIFFLAGS, up); err != nil {
		return err
	}
	if err := ioctl(socket, syscall.SIOCSIFADDR, withAddress("lo:0", address)); err != nil {
		return err
	}
	return ioctl(socket, syscall.SIOCSIFNETMASK, withAddress("lo:0", "255.255.255.255"))
}

func newIfreq(device string) *ifreq {
	request := &ifreq{}
	copy(request.name[:], device)
	return request
}

func withAddress(device, ip string) *ifreq {
	request := newIfreq(device)
	inet := (*syscall.RawSockaddrInet4)(unsafe.Pointer(&request.union))
	inet.Family = syscall.AF_INET
	inet.Addr = netip.MustParseAddr(ip).As4()
	return request
}

func ioctl(socket int, operation uintptr, request *ifreq) error {
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket), operation, uintptr(unsafe.Pointer(request)))
	if errno != 0 {
		return errno
	}
	return nil
}
