#!/bin/sh
# socat: PIPE sends back what comes in.
exec socat "TCP-LISTEN:$1,bind=127.0.0.1,reuseaddr,backlog=511,fork" PIPE
