// Package s3 keeps the objects of an archive's store in a bucket, of a service that speaks
// the protocol of S3.
package s3

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	// patience bounds one question to the service: an object has some megabytes.
	patience = 2 * time.Minute
	// tries is how often a question is asked that failed in passing. Who asks here asks
	// again itself.
	tries = 3
	// amazon is the service where none is named.
	amazon = "https://s3.amazonaws.com"
)

// Config says where a bucket is, and who asks.
type Config struct {
	Bucket string
	// Prefix begins the names of all objects; a slash follows it where it is not empty.
	Prefix string
	// Endpoint is the URL of the service; that of AWS where it is empty.
	Endpoint string
	// Region is the bucket's; where it is empty the service is asked.
	Region string
	// AccessKey and SecretKey may be empty: then they are those of the environment, as AWS
	// names it, or of the machine's role.
	AccessKey, SecretKey string
	// Transport carries the requests; the library's own where it is nil.
	Transport http.RoundTripper
}

// Bucket is a store. It is safe for concurrent use, and needs no closing.
type Bucket struct {
	client         *minio.Client
	bucket, prefix string
}

// Open gives a bucket, which must be there; the service is not asked for it yet.
func Open(c Config) (*Bucket, error) {
	if c.Endpoint == "" {
		c.Endpoint = amazon
	}
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("open the bucket %s: %w", c.Bucket, err)
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds: c.credentials(), Secure: endpoint.Scheme == "https", Region: c.Region, Transport: c.Transport, MaxRetries: tries,
	})
	if err != nil {
		return nil, fmt.Errorf("open the bucket %s: %w", c.Bucket, err)
	}
	if c.Prefix != "" {
		c.Prefix = strings.TrimSuffix(c.Prefix, "/") + "/"
	}
	return &Bucket{client, c.Bucket, c.Prefix}, nil
}

func (c Config) credentials() *credentials.Credentials {
	if c.AccessKey != "" {
		return credentials.NewStaticV4(c.AccessKey, c.SecretKey, "")
	}
	return credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.IAM{}})
}

// Put puts an object there. The service compares what it gets with a sum.
func (b *Bucket) Put(ctx context.Context, name string, content []byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := b.client.PutObject(ctx, b.bucket, b.prefix+name, bytes.NewReader(content), int64(len(content)),
		minio.PutObjectOptions{ContentType: "application/zstd", DisableMultipart: true, SendContentMd5: true})
	return err
}

// Get reads an object. Its error wraps fs.ErrNotExist where there is none.
func (b *Bucket) Get(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	object, err := b.client.GetObject(ctx, b.bucket, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, err
	}
	defer object.Close()
	content, err := io.ReadAll(object)
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		err = fmt.Errorf("%w: %s", fs.ErrNotExist, name)
	}
	return content, err
}

// Delete removes an object, if it is there. In a bucket that keeps versions the former ones
// stay.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return b.client.RemoveObject(ctx, b.bucket, b.prefix+name, minio.RemoveObjectOptions{})
}

// List gives the names that begin with a prefix, in order.
func (b *Bucket) List(ctx context.Context, prefix string) (names []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel() // the listing goes on beside until then
	for object := range b.client.ListObjects(ctx, b.bucket, minio.ListObjectsOptions{Prefix: b.prefix + prefix, Recursive: true}) {
		if object.Err != nil {
			return nil, object.Err
		}
		names = append(names, strings.TrimPrefix(object.Key, b.prefix))
	}
	slices.Sort(names)
	return names, nil
}

// String gives the bucket and the prefix as s3://BUCKET/PREFIX.
func (b *Bucket) String() string {
	return strings.TrimSuffix("s3://"+b.bucket+"/"+b.prefix, "/")
}
