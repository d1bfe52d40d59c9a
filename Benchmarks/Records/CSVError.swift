/// What is wrong with a stored file, and where: one line, in the form that editors and compilers use.
public struct CSVError: Error, Equatable, CustomStringConvertible, Sendable {
    /// The file as the caller named it.
    public var file: String
    /// Line of the file, from 1.
    public var line: Int
    /// Byte within the line, from 1.
    public var column: Int
    /// What is wrong and, where it is not plain, what to do.
    public var message: String

    /// What is wrong, and where; of a message that a file's endless mode or id makes long, the beginning.
    public init(file: String, line: Int, column: Int, message: String) {
        (self.file, self.line, self.column) = (file, line, column)
        self.message =
            message.utf8.count > 900
            ? String(String.UnicodeScalarView(message.unicodeScalars.prefix(200))) + "…" : message
    }

    /// `file:line:column: message`
    public var description: String { "\(file):\(line):\(column): \(message)" }
}

/// `text` in quotes, escaped and shortened so that it fits into a one-line message.
func quotedExcerpt(_ text: String) -> String {
    let limit = 40
    let shortened =
        text.unicodeScalars.count > limit
        ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit))) + "…" : text
    return shortened.debugDescription
}
