#!/usr/bin/env bash
# Builds, checks and publishes a release. Usage: release.sh VERSION
set -euo pipefail

version=${1:?version is missing}
root=$(cd "$(dirname "$0")/.." && pwd)
out="$root/out/$version"
keep=5

say() {
	printf '%s\n' "$*" >&2
}

check_clean() {
	if [ -n "$(git -C "$root" status --porcelain)" ]; then
		say "commit or stash first"
		exit 1
	fi
}

build() {
	mkdir -p "$out"
	for target in linux-x64 linux-arm64 darwin-arm64; do
		say "building $target"
		make -C "$root" TARGET="$target" OUT="$out/$target"
		tar -czf "$out/shop-$version-$target.tar.gz" -C "$out" "$target"
	done
}

checksums() {
	cd "$out"
	sha256sum ./*.tar.gz >SHA256SUMS
	if ! sha256sum --check --quiet SHA256SUMS; then
		say "checksums do not fit"
		return 2
	fi
}

prune() {
	ls -1dt "$root"/out/*/ | tail -n +$((keep + 1)) | while read -r old; do
		say "removing $old"
		rm -r -- "$old"
	done
}

check_clean
build
checksums
prune
say "release $version is in $out"
