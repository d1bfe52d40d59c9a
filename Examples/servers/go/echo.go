// An echo server in Go: echo PORT [WORKERS]
//
// WORKERS is GOMAXPROCS, the number of threads that run goroutines at the same time; the runtime has some more. A
// connection is a goroutine, and net sets TCP_NODELAY. io.Copy would splice from socket to socket through a pipe; this
// server sees what it sends back, as those that answer something do.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
)

func echo(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 65536)
	for {
		count, err := connection.Read(buffer)
		if err != nil {
			return
		}
		// Write returns when all is sent or nothing can be.
		if _, err := connection.Write(buffer[:count]); err != nil {
			return
		}
	}
}

func number(index int, otherwise int) int {
	if len(os.Args) <= index {
		return otherwise
	}
	value, _ := strconv.Atoi(os.Args[index])
	return value
}

func main() {
	port, workers := number(1, 0), number(2, 1)
	if port < 1 || port > 65535 || workers < 1 {
		fmt.Fprintln(os.Stderr, "usage: echo PORT [WORKERS]")
		os.Exit(64)
	}
	runtime.GOMAXPROCS(workers)
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "go:", err)
		os.Exit(1)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "go:", err)
			continue
		}
		go echo(connection)
	}
}
