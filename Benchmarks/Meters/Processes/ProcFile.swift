import Glibc
import SystemPackage

/// Reads small files under `/proc` one after the other into the same memory, so that those of hundreds of threads can be
/// read beside a server without taking its processor for long.
package struct ProcFile {
    private var path: [UInt8] = []
    private var text = [UInt8](repeating: 0, count: 1 << 16)
    private var count = 0

    package init() { path.reserveCapacity(64) }

    /// Reads `/proc/PROCESS/NAME`, or `/proc/PROCESS/task/THREAD/NAME`, as far as there is room.
    ///
    /// - Returns: why it cannot be read; nil if it can.
    mutating func read(_ process: Int32, thread: Int32? = nil, _ name: StaticString) -> Errno? {
        setPath(process, thread, name)
        count = 0
        let file = unsafe withPath { unsafe open($0, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { return Errno(rawValue: errno) }
        defer { close(file) }
        while count < text.count {
            let more = unsafe text.withUnsafeMutableBytes { bytes in
                unsafe Glibc.read(file, bytes.baseAddress! + count, bytes.count - count)
            }
            // The process can end between the opening and the reading.
            if more < 0 { return Errno(rawValue: errno) }
            if more == 0 { break }
            count += more
        }
        return nil
    }

    /// The numbers that are names in the folder `/proc/PROCESS/NAME`; nil if it cannot be read.
    package mutating func numbers(in process: Int32, _ name: StaticString) -> [Int32]? {
        setPath(process, nil, name)
        return numbersInFolder()
    }

    private func numbersInFolder() -> [Int32]? {
        guard let folder = unsafe withPath({ unsafe opendir($0) }) else { return nil }
        defer { unsafe closedir(folder) }
        var found: [Int32] = []
        while let entry = unsafe readdir(folder) {
            let place = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 0
            let name = unsafe UnsafeRawPointer(entry).advanced(by: place).assumingMemoryBound(to: CChar.self)
            let number = unsafe strtol(name, nil, 10)
            let isZero = unsafe name.pointee == CChar(UInt8(ascii: "0"))
            if number > 0 || isZero { found.append(Int32(clamping: number)) }
        }
        return found
    }

    /// Every process that is to be seen.
    var allProcesses: [Int32] {
        mutating get {
            path = Array("/proc\0".utf8)
            return numbersInFolder() ?? []
        }
    }

    /// How many descriptors a process has open (`/proc/PROCESS/fd`); an error if that is not to be known.
    mutating func descriptors(of process: Int32) -> Result<Int, Errno> {
        setPath(process, nil, "fd")
        var status = stat()
        // The size tells it from Linux 6.2 on, but to everybody; what cannot be opened is another user's.
        guard unsafe withPath({ unsafe access($0, R_OK) }) == 0 else { return .failure(Errno(rawValue: errno)) }
        if unsafe withPath({ unsafe stat($0, &status) }) == 0, status.st_size > 0 {
            return .success(Int(status.st_size))
        }
        return numbers(in: process, "fd").map { .success($0.count) } ?? .failure(.noSuchProcess)
    }

    private mutating func setPath(_ process: Int32, _ thread: Int32?, _ name: StaticString) {
        path.removeAll(keepingCapacity: true)
        append("/proc/")
        append(process)
        if let thread {
            append("/task/")
            append(thread)
        }
        append("/")
        append(name)
        path.append(0)
    }

    private mutating func append(_ text: StaticString) {
        unsafe path.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ number: Int32) {
        let start = path.count
        var rest = number
        repeat {
            path.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        path[start...].reverse()
    }

    private func withPath<Value>(_ body: (UnsafePointer<CChar>) -> Value) -> Value {
        unsafe path.withUnsafeBytes { unsafe body($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
    }
}

// MARK: What a file says

extension ProcFile {
    /// The number behind the last label that begins a line; nil if there is none. What is wanted of a thread stands at the
    /// end of a long file.
    func number(after label: StaticString) -> UInt64? {
        let wanted = unsafe UnsafeBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount)
        var line = count
        while line > 0 {
            line -= 1
            while line > 0, text[line - 1] != UInt8(ascii: "\n") { line -= 1 }
            guard line + wanted.count < count else { continue }
            if unsafe text[line..<line + wanted.count].elementsEqual(wanted) {
                return number(from: line + wanted.count)?.value
            }
        }
        return nil
    }

    /// Number `index` of those that the file consists of, separated by spaces.
    func number(at index: Int) -> UInt64? {
        var place = 0
        for _ in 0..<index {
            guard let next = number(from: place)?.end else { return nil }
            place = next
        }
        return number(from: place)?.value
    }

    /// All numbers of the file.
    var numbers: [UInt64] {
        var found: [UInt64] = []
        var place = 0
        while let (value, end) = number(from: place) {
            found.append(value)
            place = end
        }
        return found
    }

    /// Of `/proc/PROCESS/stat`: what is told behind the name of the program, which may hold anything.
    var status: ProcessStatus? {
        guard let name = text[..<count].lastIndex(of: UInt8(ascii: ")")), name + 2 < count else { return nil }
        var status = ProcessStatus(state: text[name + 2])
        var place = name + 3
        // Fields are counted as in proc(5); some may be negative, none of those that are wanted.
        for field in 4...24 {
            place += 1
            let isNegative = place < count && text[place] == UInt8(ascii: "-")
            guard let (value, end) = number(from: isNegative ? place + 1 : place) else { return nil }
            place = end
            switch field {
            case 4: status.parent = Int32(clamping: value)
            case 16, 17: status.childTicks += value
            case 24: status.residentPages = isNegative ? 0 : value
            default: break
            }
        }
        return status
    }

    /// The first number from a place on, and where it ends; nil if anything but blanks comes before it.
    private func number(from start: Int) -> (value: UInt64, end: Int)? {
        var place = start
        while place < count, [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n")].contains(text[place]) {
            place += 1
        }
        let first = place
        var value: UInt64 = 0
        while place < count, case let digit = text[place] &- UInt8(ascii: "0"), digit < 10 {
            value = value &* 10 &+ UInt64(digit)
            place += 1
        }
        return place > first ? (value, place) : nil
    }
}

/// What `/proc/PROCESS/stat` tells.
struct ProcessStatus {
    /// `Z` has ended and is not waited for.
    var state: UInt8
    var parent: Int32 = 0
    /// CPU time of children that have ended and were waited for, and of theirs, in ticks of `_SC_CLK_TCK`.
    var childTicks: UInt64 = 0
    var residentPages: UInt64 = 0

    var isZombie: Bool { state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") }
}
