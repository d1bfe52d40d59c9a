/// What is wrong with a stored file, and where: one line, in the form that editors and compilers use.
package struct CSVError: Error, Equatable, CustomStringConvertible, Sendable {
    package var file: String
    package var line: Int
    package var column: Int
    package var message: String

    /// What is wrong, and where; of a message that a file's endless mode or id makes long, the beginning.
    package init(file: String, line: Int, column: Int, message: String) {
        (self.file, self.line, self.column) = (file, line, column)
        self.message =
            message.utf8.count > 900
            ? String(String.UnicodeScalarView(message.unicodeScalars.prefix(200))) + "…" : message
    }

    package var description: String { "\(file):\(line):\(column): \(message)" }
}

/// `text` in quotes, escaped and shortened so that it fits into a one-line message.
package func quotedExcerpt(_ text: String) -> String {
    let limit = 40
    let shortened =
        text.unicodeScalars.count > limit
        ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit))) + "…" : text
    return shortened.debugDescription
}
