/* A certificate, its key, and a key that is another's, for the tests of what uses TLS. */
#pragma once

/* Made for these tests with `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes`, valid for a hundred years; worth nothing. */
static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdjCCARugAwIBAgIUI93JjGU57a8O/kqnQJqZVg7aO5YwCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjExOTMxMzBaGA8yMTI2MTAyODE5MzEz\n"
    "MFowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABI4S\n"
    "Rtj7gpJGmbfHsauEAH3oyC0L22YcPXQfrrckIsr6EDQd7WOqd3ri1SAom24L3z+0\n"
    "Yu77gDZnCRnp1swcarKjUzBRMB0GA1UdDgQWBBTtSWdR6RMfoTRY1zx/5Fq/bahh\n"
    "YTAfBgNVHSMEGDAWgBTtSWdR6RMfoTRY1zx/5Fq/bahhYTAPBgNVHRMBAf8EBTAD\n"
    "AQH/MAoGCCqGSM49BAMCA0kAMEYCIQCoen+ckH40xwAyKk9e7TdNy3xNGu96VoZb\n"
    "OZZEJLZU2gIhAN8w8xOFxe6LMIDQCqwLzniWo2UJZuP2wNO5cWk50Elw\n"
    "-----END CERTIFICATE-----\n";
static const char key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgtTzWAsRolVtCErkV\n"
    "+28a3T2Mq4nb2D5srncic3CYIjahRANCAASOEkbY+4KSRpm3x7GrhAB96MgtC9tm\n"
    "HD10H663JCLK+hA0He1jqnd64tUgKJtuC98/tGLu+4A2ZwkZ6dbMHGqy\n"
    "-----END PRIVATE KEY-----\n";
static const char other_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgVA7L0y1dJ+jL+2rT\n"
    "cOiEYHGpyV3wm5rB61aBt3kz1NmhRANCAATE+9wOlnkByGpSwVguLS7Fo0ZAehra\n"
    "OvawAmFPLCt+0lBp77xnQSLxOAo+TqpTE3EOdh2iHYQXnc0mKC1FWB/E\n"
    "-----END PRIVATE KEY-----\n";
