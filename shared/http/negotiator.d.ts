declare module 'negotiator/lib/mediaType.js' {
  /** Returns those of `provided` that an Accept header allows, the preferred one first. */
  export default function preferredMediaTypes(
    accept: string | undefined,
    provided: string[],
  ): string[];
}

declare module 'negotiator/lib/language.js' {
  /** Returns those of `provided` that an Accept-Language header allows, the preferred one first. */
  export default function preferredLanguages(
    acceptLanguage: string | undefined,
    provided: string[],
  ): string[];
}

declare module 'negotiator/lib/encoding.js' {
  /** Returns those of `provided` that an Accept-Encoding header allows, the preferred one first. */
  export default function preferredEncodings(
    acceptEncoding: string | undefined,
    provided: string[],
  ): string[];
}
