// A service whose handlers call a backend, once themselves and once from a goroutine of their own; of /deep, from one
// that such a goroutine starts. /burst starts many, and calls nobody. The URL of a call names the goroutines: handler=, and caller=, which waits for the answer.
//
//	goroutines PORT BACKEND
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
)

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// goroutine is the id of the calling goroutine, as its stack trace tells it.
func goroutine() string {
	text := make([]byte, 64)
	return string(bytes.Fields(text[:runtime.Stack(text, false)])[1])
}

func call(handler string) {
	url := fmt.Sprintf("http://127.0.0.1:%s/call?handler=%s&caller=%s", os.Args[2], handler, goroutine())
	response, err := client.Get(url)
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

func serve(w http.ResponseWriter, r *http.Request) {
	handler := goroutine()
	if r.URL.Path == "/burst" {
		for i := 0; i < 40000; i++ {
			done := make(chan bool)
			go close(done)
			<-done
		}
		return
	}
	call(handler)
	done := make(chan bool)
	work := func() {
		call(handler)
		done <- true
	}
	if r.URL.Path == "/deep" {
		go func() { go work() }()
	} else {
		go work()
	}
	<-done
	fmt.Fprintf(w, "handler %s", handler)
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	fmt.Println("ready")
	http.Serve(listener, http.HandlerFunc(serve))
}
