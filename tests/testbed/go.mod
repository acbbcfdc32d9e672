module signet.dev/tests/testbed

go 1.26.0
