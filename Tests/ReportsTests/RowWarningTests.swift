import RecordSamples
import Records
import Reports
import Testing

@Suite struct RowWarningTests {
    @Test func warningsAreJoinedAndNotRepeated() {
        var row = Samples.record()
        row.addWarning("one")
        row.addWarning("two; with a semicolon, and a comma")
        row.addWarning("one")
        row.addWarning("")
        #expect(row.warnings == "one; two, with a semicolon, and a comma")
        #expect(row.warningList == ["one", "two, with a semicolon, and a comma"])
        row.addWarning("two; with a semicolon, and a comma")
        #expect(row.warningList.count == 2)
    }

    @Test func warningsSurviveTheFile() throws {
        var row = Samples.record()
        row.addWarning("a, \"quoted\" one")
        row.addWarning("another")
        let read = try RunRecord.read(Array((RunRecord.csvHeader + row.csvRow()).utf8), file: "runs.csv")
        #expect(read.first?.warningList == row.warningList)
    }
}
