/// Values as a line of bars, `▁` the smallest and `█` the largest; a space where one is missing.
func sparkline(_ values: [Double?]) -> String {
    let bars = Array("▁▂▃▄▅▆▇█")
    let present = values.compactMap { $0 }
    guard let low = present.min(), let high = present.max() else {
        return String(repeating: " ", count: values.count)
    }
    return String(
        values.map { value -> Character in
            guard let value else { return " " }
            // A level line stands in the middle rather than at the bottom.
            let share = high > low ? (value - low) / (high - low) : 0.5
            return bars[Int((share * Double(bars.count - 1)).rounded())]
        })
}
