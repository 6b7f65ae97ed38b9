#!/bin/sh
# Slurm's programs for the tests in this folder, from Debian's packages (3 MB). Run as root.
set -eu
apt-get update -qq
apt-get install -qq -y --no-install-recommends munge slurmctld slurmd slurm-client
