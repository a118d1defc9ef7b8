// SPDX-License-Identifier: GPL-2.0-or-later

// An ordinary host whose TCP/IP is gVisor's netstack, on the wire that the run has made (docs/dut-contract.md):
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o gvisor-host host.go
//
// The library is Debian's golang-gvisor-gvisor-dev. No root is needed: the packet socket is one of the namespace.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

const nic = 1

type configuration struct {
	Networks struct {
		IPv4 struct {
			Address      string
			PrefixLength int `json:"prefix_length"`
		}
	}
	Services struct{ Echo uint16 }
}

// packetSocket opens the wire; frames of other protocols come too.
func packetSocket(wire *net.Interface) (int, error) {
	const every = unix.ETH_P_ALL>>8 | unix.ETH_P_ALL<<8&0xFF00
	wireFD, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, every)
	if err != nil {
		return 0, err
	}
	return wireFD, unix.Bind(wireFD, &unix.SockaddrLinklayer{Protocol: every, Ifindex: wire.Index})
}

func newStack(wireName string, told configuration) (*stack.Stack, error) {
	wire, err := net.InterfaceByName(wireName)
	if err != nil {
		return nil, err
	}
	wireFD, err := packetSocket(wire)
	if err != nil {
		return nil, err
	}
	link, err := fdbased.New(&fdbased.Options{
		FDs: []int{wireFD}, MTU: uint32(wire.MTU), EthernetHeader: true, Address: tcpip.LinkAddress(wire.HardwareAddr),
	})
	if err != nil {
		return nil, err
	}
	host := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{arp.NewProtocol, ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4},
	})
	if err := host.CreateNIC(nic, link); err != nil {
		return nil, fmt.Errorf("%v", err)
	}
	own := tcpip.AddressWithPrefix{Address: toAddress(told.Networks.IPv4.Address), PrefixLen: told.Networks.IPv4.PrefixLength}
	address := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: own}
	if err := host.AddProtocolAddress(nic, address, stack.AddressProperties{}); err != nil {
		return nil, fmt.Errorf("%v", err)
	}
	host.SetRouteTable([]tcpip.Route{{Destination: own.Subnet(), NIC: nic}})
	return host, nil
}

func toAddress(text string) tcpip.Address { return tcpip.Address(net.ParseIP(text).To4()) }

func serveEcho(host *stack.Stack, port uint16) error {
	streams, err := gonet.ListenTCP(host, tcpip.FullAddress{Port: port}, ipv4.ProtocolNumber)
	if err != nil {
		return err
	}
	datagrams, err := gonet.DialUDP(host, &tcpip.FullAddress{Port: port}, nil, ipv4.ProtocolNumber)
	if err != nil {
		return err
	}
	go func() {
		for {
			stream, err := streams.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go func() {
				defer stream.Close()
				io.Copy(stream, stream)
			}()
		}
	}()
	go func() {
		data := make([]byte, 65536)
		for {
			if length, from, err := datagrams.ReadFrom(data); err == nil {
				datagrams.WriteTo(data[:length], from)
			}
		}
	}()
	return nil
}

// applications are the sockets that the verbs connect, send and close have made.
type applications struct {
	host    *stack.Stack
	lock    sync.Mutex
	streams []net.Conn
}

type parameters struct {
	Connection int
	Address    string
	Port       uint16
	TimeoutS   float64 `json:"timeout_s"`
	Data       string
}

func (all *applications) stream(number int) (net.Conn, error) {
	all.lock.Lock()
	defer all.lock.Unlock()
	if number < 0 || number >= len(all.streams) {
		return nil, fmt.Errorf("EBADF: no connection %d", number)
	}
	return all.streams[number], nil
}

func (all *applications) connect(asked parameters) (any, error) {
	within, cancel := context.WithTimeout(context.Background(), time.Duration(asked.TimeoutS*float64(time.Second)))
	defer cancel()
	to := tcpip.FullAddress{NIC: nic, Addr: toAddress(asked.Address), Port: asked.Port}
	stream, err := gonet.DialContextTCP(within, all.host, to, ipv4.ProtocolNumber)
	if err != nil {
		return nil, err
	}
	go io.Copy(io.Discard, stream)
	all.lock.Lock()
	defer all.lock.Unlock()
	all.streams = append(all.streams, stream)
	return map[string]int{"connection": len(all.streams) - 1}, nil
}

func (all *applications) perform(verb string, asked parameters) (any, error) {
	if verb == "connect" {
		return all.connect(asked)
	}
	stream, err := all.stream(asked.Connection)
	if err != nil {
		return nil, err
	}
	if verb == "close" {
		return struct{}{}, stream.Close()
	}
	data, err := hex.DecodeString(asked.Data)
	if err != nil {
		return nil, err
	}
	length, err := stream.Write(data)
	return map[string]int{"length": length}, err
}

func (all *applications) answer(line []byte) map[string]any {
	var request struct {
		ID     any
		Method string
		Params parameters
	}
	answer := map[string]any{"jsonrpc": "2.0"}
	if err := json.Unmarshal(line, &request); err != nil {
		answer["error"] = map[string]any{"code": -32700, "message": err.Error()}
		return answer
	}
	answer["id"] = request.ID
	switch request.Method {
	case "status":
		answer["result"] = map[string]string{"stack": "gVisor netstack"}
	case "connect", "send", "close":
		result, err := all.perform(request.Method, request.Params)
		if err == nil {
			answer["result"] = result
			break
		}
		why := err.Error()
		if strings.Contains(why, "reset by peer") {
			why = "ECONNRESET: " + why
		}
		answer["error"] = map[string]any{"code": -32000, "message": why}
	default:
		answer["error"] = map[string]any{"code": -32601, "message": "no such verb"}
	}
	return answer
}

func main() {
	var told configuration
	content, err := os.ReadFile(os.Getenv("DUT_CONFIG"))
	if err == nil {
		err = json.Unmarshal(content, &told)
	}
	if err != nil {
		log.Fatal(err)
	}
	host, err := newStack(os.Getenv("DUT_WIRES"), told)
	if err == nil {
		err = serveEcho(host, told.Services.Echo)
	}
	if err != nil {
		log.Fatal(err)
	}
	var speaking sync.Mutex
	say := func(what any) {
		speaking.Lock()
		defer speaking.Unlock()
		json.NewEncoder(os.Stdout).Encode(what)
	}
	say(map[string]any{"ready": true, "name": "gVisor netstack host", "version": "0.0~20221219"})
	all, lines := &applications{host: host}, bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		go func() { say(all.answer(line)) }()
	}
}
