/// What is wrong with a request, in one line.
package struct ConversationError: Error, CustomStringConvertible, Equatable {
    package let description: String

    init(_ description: String) { self.description = description }
}
