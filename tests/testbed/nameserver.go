package main

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
)

// zone is where the names of the testbed are: git.testbed and the like are all
// at its one address. No other name exists.
const zone = "testbed"

// serveNames answers questions for addresses, as RFC 1035 has them.
func serveNames() error {
	socket, err := net.ListenPacket("udp", address+":53")
	if err != nil {
		return err
	}
	go func() {
		question := make([]byte, 512)
		for {
			n, asker, err := socket.ReadFrom(question)
			if err != nil {
				return
			}
			if answer := answerName(question[:n]); answer != nil {
				socket.WriteTo(answer, asker)
			}
		}
	}()
	return nil
}

const (
	headerSize       = 12
	typeA            = 1
	isAnswer         = 0x8180 // a response; recursion was desired and is available
	noSuchName       = 3
	pointerToTheName = 0xc000 | headerSize
)

// answerName is nil for what is no question.
func answerName(question []byte) []byte {
	name, end := nameOf(question)
	if end == 0 || len(question) < end+4 {
		return nil
	}
	end += 4 // type and class
	known := name == zone || strings.HasSuffix(name, "."+zone)
	address4 := known && binary.BigEndian.Uint16(question[end-4:]) == typeA
	flags, answers := uint16(isAnswer), uint16(0)
	if !known {
		flags |= noSuchName
	}
	if address4 {
		answers = 1
	}
	answer := binary.BigEndian.AppendUint16(nil, binary.BigEndian.Uint16(question))
	for _, field := range []uint16{flags, 1, answers, 0, 0} {
		answer = binary.BigEndian.AppendUint16(answer, field)
	}
	answer = append(answer, question[headerSize:end]...)
	if address4 {
		for _, field := range []uint16{pointerToTheName, typeA, 1, 0, 60, 4} { // class IN, a minute, four bytes
			answer = binary.BigEndian.AppendUint16(answer, field)
		}
		answer = append(answer, netip.MustParseAddr(address).AsSlice()...)
	}
	return answer
}

// nameOf reads the first question's name, and where it ends; 0 where there is none.
func nameOf(question []byte) (string, int) {
	var labels []string
	for at := headerSize; at < len(question); {
		size := int(question[at])
		at++
		if size == 0 {
			return strings.ToLower(strings.Join(labels, ".")), at
		}
		if size > 63 || at+size > len(question) {
			break
		}
		labels = append(labels, string(question[at:at+size]))
		at += size
	}
	return "", 0
}
