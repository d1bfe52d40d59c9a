# Every target works in a fresh clone that has Swift, git and make; what else it needs, .ci/setup installs.
.PHONY: bench baseline check counts test lint format tsan asan docs release setup clean

SOURCES = Package.swift Sources Benchmarks Tests Examples
LIBRARIES = LinuxDescriptors LinuxSockets LinuxReadiness LinuxRings LinuxExecutors
BENCH = .build/release/bench
RESULTS := results/$(shell date -u +%Y%m%dT%H%M%SZ)-bench

# A failed or void run must not cost the report: it is written all the same, and the first bad exit code ends make. A choice
# that a minute does not decide (4) is an answer.
bench: release
	@code=0; \
	step() { \
	    echo "$(BENCH) $$*"; $(BENCH) "$$@" && return; last=$$?; \
	    [ $$last -ne 130 ] || exit 130; \
	    [ $$last -eq 4 ] || [ $$code -ne 0 ] || code=$$last; \
	}; \
	step run --workload accept --workers 2 --duration 200ms --rounds 3 --output $(RESULTS)/accept; \
	step choose --scenario short-connections --workers 2 --budget 55s --output $(RESULTS)/choice; \
	step report $(RESULTS)/choice $(RESULTS)/accept --output $(RESULTS)/report.html; \
	exit $$code

baseline check: release
	$(BENCH) check $(if $(filter baseline,$@),--update)

counts: release
	$(BENCH) check --counts-only

test:
	.ci/setup strace
	.ci/python
	.ci/servers
	swift build --build-tests
	Tests/run.sh
	Examples/check.sh
	Examples/servers/test.sh asio go libev libevent libuv node uvloop nginx haproxy redis memcached

lint:
	swift format lint --strict -r $(SOURCES)
	Benchmarks/imports.sh
	Benchmarks/sizes.sh

format:
	swift format -i -r $(SOURCES)

tsan: setup
	TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/Support/races.supp:print_suppressions=0 \
	    swift test --no-parallel --sanitize=thread --scratch-path .build-tsan

asan: setup
	LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/Support/leaks.supp:print_suppressions=0 \
	    swift test --no-parallel --disable-xctest --sanitize=address --scratch-path .build-asan

docs: setup
	swift package --scratch-path .build-docs --allow-writing-to-directory .build-docs generate-documentation \
	    $(LIBRARIES:%=--target %) --enable-experimental-combined-documentation --warnings-as-errors \
	    --transform-for-static-hosting --output-path .build-docs/site

release: setup
	swift build -c release --product bench

setup:
	.ci/setup

clean:
	rm -rf .build .build-* Examples/.build Examples/servers/.build
