#!/bin/sh
# ucspi-tcp: a process for each connection, which becomes cat. No look-ups, no limit, no word said.
exec tcpserver -HRl0 -c 20000 -b 511 127.0.0.1 "$1" cat
