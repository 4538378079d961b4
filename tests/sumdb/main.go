// Reads a log of ours with the reference implementation of transparent logs in Go
// (golang.org/x/mod/sumdb): signature, tree, every entry's inclusion, and consistency from every
// earlier size that is asked for. Shares no code with the rest of the repository.
//
//	go run tests/sumdb/main.go LOG-FOLDER VERIFIER-KEY [PROOF-OF-GROWTH OLDER-CHECKPOINT]
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tiles reads hash tiles from a folder in the layout of C2SP tlog-tiles, whose paths have no height.
type tiles struct{ dir string }

func (t tiles) Height() int { return 8 }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range wanted {
		path := strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(t.dir, "tile", path))
		if err != nil {
			// A full tile stands where a partial one is asked for.
			full := tile
			full.W = 1 << 8
			path = strings.TrimPrefix(full.Path(), "tile/8/")
			if data, err = os.ReadFile(filepath.Join(t.dir, "tile", path)); err != nil {
				return nil, err
			}
			data = data[:tile.W*tlog.HashSize]
		}
		out = append(out, data)
	}
	return out, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sumdb:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 && len(args) != 4 {
		return fmt.Errorf("use: main.go LOG-FOLDER KEY [PROOF OLDER]")
	}
	dir := args[0]
	verifier, err := note.NewVerifier(args[1])
	if err != nil {
		return fmt.Errorf("the key: %w", err)
	}
	tree, err := open(filepath.Join(dir, "checkpoint"), verifier)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, tiles{dir})
	hashes, err := entries(dir, tree.N)
	if err != nil {
		return err
	}
	for n, hash := range hashes {
		proof, err := tlog.ProveRecord(tree.N, int64(n), reader)
		if err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(n), hash); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
	}
	fmt.Printf("%s: %d entries, each included\n", verifier.Name(), tree.N)
	if len(args) == 4 {
		return grown(args[2], args[3], verifier, reader)
	}
	return nil
}

// open verifies a checkpoint and reads its tree.
func open(path string, verifier note.Verifier) (tlog.Tree, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	return checkpoint(text, verifier)
}

func checkpoint(text []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("the checkpoint: %w", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("the checkpoint is of another log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("the root is no hash")
	}
	return tlog.Tree{N: size, Hash: *(*tlog.Hash)(root)}, nil
}

// entries reads every bundle and gives the hash of every entry.
func entries(dir string, size int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for n := int64(0); n*256 < size; n++ {
		width := size - n*256
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: -1, N: n, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			return nil, err
		}
		for len(data) > 0 {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s: an entry goes beyond its end", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			out = append(out, tlog.RecordHash(data[2:end]))
			data = data[end:]
		}
	}
	if int64(len(out)) != size {
		return nil, fmt.Errorf("%d entries in bundles, %d in the checkpoint", len(out), size)
	}
	return out, nil
}

// grown checks a proof of growth that `vigie log prove --since` made.
func grown(proof, older string, verifier note.Verifier, reader tlog.HashReader) error {
	before, err := open(older, verifier)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(proof)
	if err != nil {
		return err
	}
	head, rest, found := bytes.Cut(text, []byte("\n\n"))
	if !found {
		return fmt.Errorf("the proof has no checkpoint")
	}
	after, err := checkpoint(rest, verifier)
	if err != nil {
		return err
	}
	var path tlog.TreeProof
	for _, line := range strings.Split(string(head), "\n")[1:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(hash) != tlog.HashSize {
			return fmt.Errorf("a hash of the proof is none")
		}
		path = append(path, *(*tlog.Hash)(hash))
	}
	if err := tlog.CheckTree(path, after.N, after.Hash, before.N, before.Hash); err != nil {
		return fmt.Errorf("the proof of growth: %w", err)
	}
	own, err := tlog.ProveTree(after.N, before.N, reader)
	if err != nil {
		return err
	}
	for n := range own {
		if len(own) != len(path) || own[n] != path[n] {
			return fmt.Errorf("the proof of growth is not the one that Go makes")
		}
	}
	fmt.Printf("%s: grew from %d to %d entries and nothing else\n", verifier.Name(), before.N, after.N)
	return nil
}
