#!/bin/sh
# Greets whoever is named; nobody at all is an error.
if [ -z "$1" ]; then
  echo "usage: greet NAME" >&2
  exit 2
fi
echo "${GREETING:-Hello}, $1!"
