package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
)

// settings is the part of the chart's environment that an ingestion needs, contract/cluster.md §1.2, and three variables
// of the stand-in's own.
type settings struct {
	Namespace        string // POD_NAMESPACE
	PVC              string // CLIENT_PVC, mounted at /data/shared in the Jobs
	MySQLHost        string // MYSQL_HOST, the Service that the Jobs reach by host alias
	ClientEnv        string // CLIENT_ENV, handed to the ingestor
	ImageRepository  string
	ImageTag         string
	ImageDigest      string // empty: the tag is used
	HostUID, HostGID *int64 // 65534 where unset
	BackoffLimit     int32  // STANDIN_BACKOFF_LIMIT: the real number is not public
	PullSecret       string // IMAGE_PULL_SECRET_NAME
	Pull             string // STANDIN_PULL_POLICY: images here are imported, so Always would fail
	HTTPDisabled     bool   // INGESTION_HTTP_DISABLED
}

func settingsFromEnv(getenv func(string) string) (settings, error) {
	s := settings{
		Namespace:       getenv("POD_NAMESPACE"),
		PVC:             getenv("CLIENT_PVC"),
		MySQLHost:       cmp.Or(getenv("MYSQL_HOST"), "mysql-client"),
		ClientEnv:       getenv("CLIENT_ENV"),
		ImageRepository: getenv("INGESTOR_IMAGE_REPOSITORY"),
		ImageTag:        getenv("INGESTOR_IMAGE_TAG"),
		ImageDigest:     getenv("INGESTOR_IMAGE_DIGEST"),
		PullSecret:      getenv("IMAGE_PULL_SECRET_NAME"),
		Pull:            getenv("STANDIN_PULL_POLICY"),
		HTTPDisabled:    getenv("INGESTION_HTTP_DISABLED") != "",
	}
	if s.Namespace == "" || s.PVC == "" || s.ImageRepository == "" {
		return settings{}, errors.New("POD_NAMESPACE, CLIENT_PVC and INGESTOR_IMAGE_REPOSITORY must be set")
	}
	limit, err := strconv.ParseInt(cmp.Or(getenv("STANDIN_BACKOFF_LIMIT"), "1"), 10, 32)
	if err != nil {
		return settings{}, fmt.Errorf("read STANDIN_BACKOFF_LIMIT: %w", err)
	}
	s.BackoffLimit = int32(limit)
	for name, into := range map[string]**int64{"HOST_UID": &s.HostUID, "HOST_GID": &s.HostGID} {
		v := getenv(name)
		if v == "" {
			continue
		}
		id, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return settings{}, fmt.Errorf("read %s: %w", name, err)
		}
		*into = &id
	}
	return s, nil
}

// image is the reference of the ingestor and its pull policy: the run's own digest, else the release's, else the tag.
// An empty result means that none can be resolved, which old releases answer with 503.
func (s settings) image(digest string) (ref, pull string) {
	pull = "IfNotPresent"
	if d := cmp.Or(digest, s.ImageDigest); d != "" {
		return s.ImageRepository + "@" + d, pull
	}
	if s.ImageTag == "" {
		return "", ""
	}
	return s.ImageRepository + ":" + s.ImageTag, cmp.Or(s.Pull, "Always")
}
