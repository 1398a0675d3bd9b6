#!/bin/sh
# Makes the files of deploy/secrets/ that docker-compose.yml needs and that are not there yet, with
# random passwords. Files that are there stay: their passwords are in the stores by now.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
chmod 700 secrets  # from outside nobody gets in; in the containers each file is mounted by itself

password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
put() { # NAME TEXT
    [ -e "secrets/$1" ] && return
    printf '%s' "$2" > "secrets/$1"
    chmod 444 "secrets/$1" # read in the containers, by other users
    echo "made deploy/secrets/$1"
}

for store in neo4j redis postgres; do put "${store}_password" "$(password)"; done
put neo4j_auth "neo4j/$(cat secrets/neo4j_password)"
put celery_broker_url "redis://:$(cat secrets/redis_password)@redis:6379/1"
put dagster_postgres_url "postgresql://dagster:$(cat secrets/postgres_password)@postgres:5432/dagster"
# Hashes only; made by `etter keys create` for its owner alone, and read in the container by another.
[ ! -e secrets/api_keys.json ] || chmod 644 secrets/api_keys.json
[ -e secrets/api_keys.json ] || echo "still to make: deploy/secrets/api_keys.json (deploy/README.md says how)"
