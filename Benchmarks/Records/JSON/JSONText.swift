import Foundation

/// JSON of which every value's place is known, so that what is wrong with one can be told as `file:line:column`.
///
/// `JSONDecoder` alone says nothing of places, lets one of two equal keys win, and words its errors for programmers.
package struct JSONText: Sendable {
    private let file: String
    private let bytes: [UInt8]
    private let root: JSONNode

    /// Reads the text and checks its form.
    package init(_ bytes: [UInt8], file: String) throws(CSVError) {
        var scanner = JSONScanner(bytes, file: file)
        root = try scanner.document()
        self.bytes = bytes
        self.file = file
    }

    /// Decodes the text, whose keys are in snake case.
    package func decode<Value: Decodable>(_: Value.Type) throws(CSVError) -> Value {
        do {
            return try Self.decode(Value.self, bytes)
        } catch let error as DecodingError {
            if Self.isOfUnknownPlace(error), let path = unfitNumber(Value.self) {
                throw self.error(at: path, "is not a number that fits here")
            }
            throw self.error(error)
        } catch {
            throw self.error(at: [], "is not what this file holds")
        }
    }

    private static func decode<Value: Decodable>(_: Value.Type, _ bytes: [UInt8]) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Value.self, from: Data(bytes))
    }

    /// Of a number that its type cannot hold Foundation does not say where it stands.
    private static func isOfUnknownPlace(_ error: any Error) -> Bool {
        guard case .dataCorrupted(let context)? = error as? DecodingError else { return false }
        return context.codingPath.isEmpty
    }

    /// The path to the number because of which the text cannot be decoded: the last that has to stay as it is for the
    /// error to stay.
    private func unfitNumber<Value: Decodable>(_: Value.Type) -> [String]? {
        let numbers = root.numbers().sorted { $0.place.lowerBound < $1.place.lowerBound }
        func fails(keeping count: Int) -> Bool {
            var (text, end) = ([UInt8](), 0)
            for number in numbers[count...] {
                text += bytes[end..<number.place.lowerBound] + [UInt8(ascii: "1")]
                end = number.place.upperBound
            }
            text += bytes[end...]
            do {
                _ = try Self.decode(Value.self, text)
                return false
            } catch {
                return Self.isOfUnknownPlace(error)
            }
        }
        guard fails(keeping: numbers.count) else { return nil }
        var (least, most) = (0, numbers.count)
        while least < most {
            let middle = (least + most) / 2
            if fails(keeping: middle) { most = middle } else { least = middle + 1 }
        }
        return most > 0 ? numbers[most - 1].path : nil
    }

    /// What is wrong with the value at the end of a path of keys and indices, or with the last value that there is on
    /// the way to it; the message completes the sentence "`key` …".
    package func error(at path: [String], _ message: String) -> CSVError {
        var node = root
        for step in path {
            guard let next = node[step] else { break }
            node = next
        }
        let name = path.isEmpty ? "" : path.joined(separator: ".") + " "
        return CSVError(file: file, line: node.line, column: node.column, message: name + message)
    }

    private func error(_ error: DecodingError) -> CSVError {
        func path(_ context: DecodingError.Context) -> [String] {
            context.codingPath.map { $0.intValue.map(String.init) ?? Self.snakeCase($0.stringValue) }
        }
        switch error {
        case .keyNotFound(let key, let context):
            let place = self.error(at: path(context), "")
            let name = (path(context) + [Self.snakeCase(key.stringValue)]).joined(separator: ".")
            return CSVError(file: file, line: place.line, column: place.column, message: "\(name) is missing")
        case .valueNotFound(let type, let context):
            return self.error(at: path(context), "is null where \(Self.phrase(type)) belongs")
        case .typeMismatch(let type, let context):
            return self.error(at: path(context), "is not \(Self.phrase(type))")
        case .dataCorrupted(let context):
            return self.error(at: path(context), "is not a value that belongs here, or too large a number")
        @unknown default:
            return self.error(at: [], "is not what this file holds")
        }
    }

    private static func phrase(_ type: Any.Type) -> String {
        switch type {
        case is String.Type: "text"
        case is Bool.Type: "true or false"
        case is Double.Type: "a number"
        case is any BinaryInteger.Type: "a whole number of its range"
        default: String(describing: type).hasPrefix("Array") ? "a list" : "an object"
        }
    }

    private static func snakeCase(_ name: String) -> String {
        name.reduce("") { $1.isUppercase ? "\($0)_\($1.lowercased())" : "\($0)\($1)" }
    }
}

struct JSONNode: Sendable {
    var line: Int
    var column: Int
    /// Of an object by key, of an array by index.
    var members: [String: JSONNode] = [:]
    var number: Range<Int>?

    subscript(key: String) -> JSONNode? { members[key] }

    /// All numbers within, in no order.
    func numbers(path: [String] = []) -> [(path: [String], place: Range<Int>)] {
        (number.map { [(path, $0)] } ?? []) + members.flatMap { $1.numbers(path: path + [$0]) }
    }
}
