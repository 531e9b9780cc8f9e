/// The parts of the page between which title, style, data and script stand.
enum ReportSkeleton {
    static let head = #"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
        <link rel="icon" href="data:,">
        <title>
        """#

    static let style = "</title>\n<style>\n"

    static let body = #"""
        </style>
        </head>
        <body>
        <a class="skip" href="#findings">Skip to findings</a>
        <header class="top">
          <div class="wrap bar">
            <div class="brand">
              <svg viewBox="0 0 28 28" width="28" height="28" aria-hidden="true"><rect x="2" y="2" width="14" height="24" rx="3" class="m1"/><rect x="18" y="2" width="8" height="11" rx="3" class="m2"/><rect x="18" y="15" width="8" height="11" rx="3" class="m3"/></svg>
              <div><h1 id="title">Memory report</h1><p id="subtitle"></p></div>
            </div>
            <nav id="nav" aria-label="Sections"></nav>
            <button id="theme" type="button" class="ghost" aria-label="Change between light and dark"></button>
          </div>
        </header>
        <main class="wrap" id="main">
          <section id="summary" aria-label="Summary"></section>
          <section id="findings" tabindex="-1" aria-labelledby="h-findings"></section>
          <section id="growth" aria-labelledby="h-growth" hidden></section>
          <section id="map" aria-labelledby="h-map"></section>
          <section id="forms" aria-labelledby="h-forms"></section>
          <section id="spread" aria-labelledby="h-spread"></section>
          <section id="keys" aria-labelledby="h-keys"></section>
          <section id="prefixes" aria-labelledby="h-prefixes"></section>
          <section id="encodings" aria-labelledby="h-encodings" hidden></section>
          <section id="databases" aria-labelledby="h-databases" hidden></section>
        </main>
        <footer class="wrap" id="foot"></footer>
        <div id="tip" role="status" hidden></div>
        <noscript><p class="wrap">The charts and tables of this page are drawn by its own script, which is turned off.</p></noscript>
        <script type="application/json" id="data">
        """#

    static let script = "</script>\n<script>\n'use strict';\n(() => {\n"

    static let end = "})();\n</script>\n</body>\n</html>\n"
}
