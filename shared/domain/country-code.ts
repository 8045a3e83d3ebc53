import { fold } from './fold.ts';

/**
 * The countries of ISO 3166-1, and Kosovo: each alpha-2 code with its alpha-3 code. Intl knows
 * names of countries, but not the longer codes.
 */
const CODES = `
ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA AZAZE
BABIH BBBRB BDBGD BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA BSBHS
BTBTN BVBVT BWBWA BYBLR BZBLZ CACAN CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR CNCHN
COCOL CRCRI CUCUB CVCPV CWCUW CXCXR CYCYP CZCZE DEDEU DJDJI DKDNK DMDMA DODOM DZDZA ECECU EEEST
EGEGY EHESH ERERI ESESP ETETH FIFIN FJFJI FKFLK FMFSM FOFRO FRFRA GAGAB GBGBR GDGRD GEGEO GFGUF
GGGGY GHGHA GIGIB GLGRL GMGMB GNGIN GPGLP GQGNQ GRGRC GSSGS GTGTM GUGUM GWGNB GYGUY HKHKG HMHMD
HNHND HRHRV HTHTI HUHUN IDIDN IEIRL ILISR IMIMN ININD IOIOT IQIRQ IRIRN ISISL ITITA JEJEY JMJAM
JOJOR JPJPN KEKEN KGKGZ KHKHM KIKIR KMCOM KNKNA KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO LBLBN LCLCA
LILIE LKLKA LRLBR LSLSO LTLTU LULUX LVLVA LYLBY MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL MKMKD
MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR MTMLT MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM
NCNCL NENER NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU NZNZL OMOMN PAPAN PEPER PFPYF PGPNG
PHPHL PKPAK PLPOL PMSPM PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT REREU ROROU RSSRB RURUS RWRWA
SASAU SBSLB SCSYC SDSDN SESWE SGSGP SHSHN SISVN SJSJM SKSVK SLSLE SMSMR SNSEN SOSOM SRSUR SSSSD
STSTP SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF TGTGO THTHA TJTJK TKTKL TLTLS TMTKM TNTUN TOTON
TRTUR TTTTO TVTUV TWTWN TZTZA UAUKR UGUGA UMUMI USUSA UYURY UZUZB VAVAT VCVCT VEVEN VGVGB VIVIR
VNVNM VUVUT WFWLF WSWSM XKXKX YEYEM YTMYT ZAZAF ZMZMB ZWZWE
`;
/** Languages in which countries are named, the likeliest first. */
const LANGUAGES = ['sv', 'en', 'nb', 'da', 'fi', 'de'];
/** Names that people write and Intl does not have. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ENGLAND: 'GB',
    SCOTLAND: 'GB',
    WALES: 'GB',
    'GREAT BRITAIN': 'GB',
    HOLLAND: 'NL',
    'CZECH REPUBLIC': 'CZ',
    TURKEY: 'TR',
  }),
);

/**
 * Returns the ISO 3166-1 alpha-2 code of a country that a text names: by this code, by its alpha-3
 * code, or by its name in English, a Nordic language or German. `UK` is `GB`.
 *
 * @returns undefined if the text names none.
 */
export function countryCode(text: string): string | undefined {
  const word = wordOf(text);
  if (/^[A-Z]{2}$/.test(word)) {
    // Intl knows former and reserved codes, such as UK; its first use takes milliseconds.
    const code = isCode(word) ? word : new Intl.Locale(`und-${word}`).region;
    return isCode(code) ? code : undefined;
  }
  if (/^[A-Z]{3}$/.test(word)) return new RegExp(`\\b([A-Z]{2})${word}\\b`).exec(CODES)?.[1];
  if (!word) return undefined;
  for (const language of LANGUAGES) {
    const code = namesIn(language).get(word);
    if (code) return code;
  }
  return OTHER_NAMES.get(word);
}

function isCode(word: string | undefined): boolean {
  return word !== undefined && (CODES.includes(`\n${word}`) || CODES.includes(` ${word}`));
}

const names = new Map<string, ReadonlyMap<string, string>>();

/** Returns codes by names in a language. Built on first use: it takes 10 ms, and most have a code. */
function namesIn(language: string): ReadonlyMap<string, string> {
  const known = names.get(language);
  if (known) return known;
  const regions = new Intl.DisplayNames(language, { type: 'region' });
  const codes = CODES.trim()
    .split(/\s/)
    .map((pair) => pair.slice(0, 2));
  const ofLanguage = new Map(codes.map((code) => [wordOf(regions.of(code) ?? code), code]));
  names.set(language, ofLanguage);
  return ofLanguage;
}

function wordOf(text: string): string {
  return fold(text).replaceAll('.', '');
}
