import ServerHarness
import Testing

/// Expects that nothing differs, and shows the first few things that do.
///
/// - Parameter subject: what was compared, with the seed if there is one.
func expectNone(
    _ differences: [Difference], _ subject: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    if differences.isEmpty { return }
    let shown = differences.prefix(12).map { "  \($0)" }.joined(separator: "\n")
    let more = differences.count > 12 ? "\n  … \(differences.count) differences in all" : ""
    Issue.record("\(subject):\n\(shown)\(more)", sourceLocation: sourceLocation)
}
