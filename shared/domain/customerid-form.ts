/** Returns a merchant's own key in the form in which keys are compared: case matters. */
export function customeridForm(text: string): string {
  return text.normalize('NFC').trim();
}
