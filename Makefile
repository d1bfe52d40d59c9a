# Every target works in a fresh clone that has Swift, git and make; what else it needs, .ci/setup installs.
.PHONY: bench test lint format tsan asan docs setup clean

SOURCES = Package.swift Sources Benchmarks Tests Examples
LIBRARIES = LinuxDescriptors LinuxSockets LinuxReadiness LinuxRings

bench: setup
	swift build -c release --product bench
	.build/release/bench run --quick

test:
	.ci/setup strace
	swift build --build-tests
	swift test --skip-build
	swift build --package-path Examples

lint:
	swift format lint --strict -r $(SOURCES)

format:
	swift format -i -r $(SOURCES)

tsan: setup
	swift test --sanitize=thread --scratch-path .build-tsan

asan: setup
	swift test --disable-xctest --sanitize=address --scratch-path .build-asan

docs: setup
	swift package --scratch-path .build-docs --allow-writing-to-directory .build-docs generate-documentation \
	    $(LIBRARIES:%=--target %) --enable-experimental-combined-documentation --warnings-as-errors \
	    --transform-for-static-hosting --output-path .build-docs/site

setup:
	.ci/setup

clean:
	rm -rf .build .build-* Examples/.build
