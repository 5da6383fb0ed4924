//go:build !csqlite

package main

import _ "modernc.org/sqlite" // which Bento comes with
