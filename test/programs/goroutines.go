// Goroutines, channels, timers, garbage collection, recovered panics, a child process and files.  goroutines DIRECTORY ROUNDS
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

func recovered(values map[string]*int, name string) (text string) {
	defer func() {
		if problem := recover(); problem != nil {
			text = fmt.Sprint("recovered: ", problem)
		}
	}()
	return fmt.Sprint(*values[name])
}

func digest(seed int) string {
	block := make([]byte, 1<<16)
	for i := range block {
		block[i] = byte(i * seed)
	}
	for i := 0; i < 20; i++ {
		sum := sha256.Sum256(block)
		copy(block, sum[:])
	}
	return fmt.Sprintf("%x", block[:8])
}

func main() {
	directory := os.Args[1]
	rounds, _ := strconv.Atoi(os.Args[2])
	one := 1
	for round := 0; round < rounds; round++ {
		results := make(chan string)
		var group sync.WaitGroup
		for worker := 0; worker < 16; worker++ {
			group.Add(1)
			go func(seed int) {
				defer group.Done()
				results <- digest(seed)
			}(round*16 + worker)
		}
		go func() { group.Wait(); close(results) }()
		var all []string
		for text := range results {
			all = append(all, text)
		}
		sort.Strings(all)
		name := filepath.Join(directory, fmt.Sprintf("round-%d", round%10))
		if err := os.WriteFile(name, []byte(strings.Join(all, "\n")), 0o644); err != nil {
			fmt.Println(err)
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-time.After(10 * time.Second):
			fmt.Println("the wrong timer")
		}
		if round%20 == 0 {
			out, err := exec.Command("wc", "-c", name).Output()
			fmt.Println(round, all[0], strings.Fields(string(out))[0], err, recovered(map[string]*int{"one": &one}, "two"))
		}
	}
	_, err := os.Open(filepath.Join(directory, "absent"))
	fmt.Println("done,", os.IsNotExist(err))
	os.Exit(5)
}
