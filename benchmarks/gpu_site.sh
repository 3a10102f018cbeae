#!/usr/bin/env bash
# onnxruntime-gpu for a GPU machine without network that has Python 3.12, torch and the CUDA 13 packages.
#
#   gpu_site.sh pack OUT          here: makes OUT/part.0, OUT/part.1 and OUT/*.whl (60 MiB, 3 minutes, 256 MB fetched)
#   gpu_site.sh place FOLDER      there: keeps the parts found in FOLDER; fails while one is missing
#   gpu_site.sh run COMMAND...    there: runs a command with it, after both parts were placed
#
# Only the device code of Hopper GPUs (sm_90) is kept, so that it compresses well.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=${ORT_VERSION:-1.31.1} python=${GPU_PYTHON:-3.12} site=${GPU_SITE:-/tmp/sagafoley-site}
count=2

pack() {
    local out=$1 work
    mkdir -p "$out"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    python3 -m pip download -q --no-deps --only-binary=:all: --python-version "$python" --implementation cp \
        --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 -d "$work" "onnxruntime-gpu==$version"
    python3 -m pip download -q --no-deps --only-binary=:all: -d "$out" ftfy wcwidth
    python3 -m zipfile -e "$work"/onnxruntime_gpu-*.whl "$work/site"
    local capi=$work/site/onnxruntime/capi
    python3 "$here/gpu_slim.py" "$capi/libonnxruntime_providers_cuda.so" 90
    rm -f "$capi/libonnxruntime_providers_tensorrt.so" "$capi"/libonnxruntime.so*
    rm -rf "$work/site/onnxruntime/transformers/models" "$work/site/onnxruntime/datasets"
    tar -C "$work/site" --owner=0 --group=0 -cf - . | xz -9 -T1 >"$work/all"
    split -n "$count" -d -a 1 "$work/all" "$out/part."
    ls -l "$out"
}

place() {
    mkdir -p "$site/parts"
    cp -f "$1"/part.* "$1"/*.whl "$site/parts/" 2>/dev/null || true
    local found
    found=$(find "$site/parts" -name 'part.*' | wc -l)
    [ "$found" -eq "$count" ] || { echo "$found of $count parts are here: bring the others" >&2; exit 3; }
    [ -e "$site/ready" ] && return
    cat "$site"/parts/part.* | tar -C "$site" -xJf -
    for wheel in "$site"/parts/*.whl; do python3 -m zipfile -e "$wheel" "$site"; done
    ln -sfn "$(packages)/nvidia" "$site/nvidia"
    touch "$site/ready"
}

packages() { python3 -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])'; }

run() {
    [ -e "$site/ready" ] || { echo "nothing was placed in $site" >&2; exit 3; }
    local nvidia=$(packages)/nvidia
    export PYTHONPATH=$site${PYTHONPATH:+:$PYTHONPATH} ORT_DISABLE_TELEMETRY=1
    export LD_LIBRARY_PATH=$nvidia/cu13/lib:$nvidia/cudnn/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    exec "$@"
}

case ${1:-} in
pack | place) "$1" "${2:?folder}" ;;
run) shift && run "$@" ;;
*) sed -n '2,8p' "$0" && exit 2 ;;
esac
