export function BackfillsPage() { return null; }
