public enum ServerHarness {}
