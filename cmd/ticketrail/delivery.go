package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// delivery is one posting of one file. A repeated one is a retransmission: it
// has the id of the first.
type delivery struct {
	file string
	id   string
	body []byte
}

// plan are the deliveries of some files, as a network would bring them.
type plan struct {
	Repeat  int     `help:"Post each webhook this often, with the id of the first time where its provider sends one." default:"1" placeholder:"N"`
	Shuffle bool    `help:"Post in random order."`
	Drop    float64 `help:"Leave out this share of the deliveries, from 0 to 1." placeholder:"P"`
	Seed    uint64  `help:"Seed of what is random: order, losses and the ids that a provider sends beside the body. One is drawn if it is 0." placeholder:"N"`
}

// Validate refuses what no plan can be made from.
func (p *plan) Validate() error {
	if p.Repeat < 1 || p.Repeat > 1000 {
		return fmt.Errorf("--repeat: %d is not from 1 to 1000", p.Repeat)
	}
	if !(p.Drop >= 0 && p.Drop <= 1) {
		return fmt.Errorf("--drop: %v is not from 0 to 1", p.Drop)
	}
	return nil
}

// deliveries reads the files and lays out what is posted. The same seed and the
// same files give the same deliveries.
func (p *plan) deliveries(files []string, read func(file string) ([]byte, error)) ([]delivery, error) {
	seed := p.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	random := rand.New(rand.NewPCG(seed, 0))
	var all []delivery
	for _, file := range files {
		body, err := read(file)
		if err != nil {
			return nil, err
		}
		one := delivery{file: file, id: fmt.Sprintf("msg_%016x%016x", random.Uint64(), random.Uint64()), body: body}
		all = append(all, slices.Repeat([]delivery{one}, p.Repeat)...)
	}
	if p.Shuffle {
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	return slices.DeleteFunc(all, func(delivery) bool { return random.Float64() < p.Drop }), nil
}

// stdinName is what stands for stdin where a file is named.
const stdinName = "-"

// webhookFiles gives the files that are named, and of each folder the *.json
// files anywhere below it, in the order of their names.
func webhookFiles(names []string) (files []string, err error) {
	for _, name := range names {
		if name == stdinName {
			files = append(files, name)
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, name)
			continue
		}
		below, err := jsonFiles(name)
		if err != nil {
			return nil, err
		}
		files = append(files, below...)
	}
	if len(files) == 0 {
		return nil, failf("name a file, or a folder that holds *.json files", "there is no webhook in %s", strings.Join(names, ", "))
	}
	return files, nil
}

func jsonFiles(folder string) (files []string, err error) {
	err = filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && filepath.Ext(path) == ".json" {
			files = append(files, path)
		}
		return err
	})
	return files, err
}
