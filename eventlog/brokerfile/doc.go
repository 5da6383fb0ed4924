// Package brokerfile knows the form of the files in which the embedded NATS server keeps
// a stream: blocks, numbered from 1, of records, of which only the newest grows. The form is that of
// the server's version in go.mod, and a test of the recovery compares it with a running
// server.
package brokerfile
